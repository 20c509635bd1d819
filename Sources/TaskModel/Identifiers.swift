/// The number of a run: positive, rising, never used twice on one host (design: `next` file).
public struct RunID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public var description: String { String(rawValue) }

    public static func < (left: RunID, right: RunID) -> Bool { left.rawValue < right.rawValue }

    public init(from decoder: any Decoder) throws { rawValue = try Int64(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try rawValue.encode(to: encoder) }
}

/// A 128-bit identifier, written as 32 lower-case hexadecimal digits as systemd writes its own (sd-id128(3)).
public struct ID128: Hashable, Sendable, Codable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new random identifier, from the kernel's generator.
    public static func random() -> ID128 {
        var generator = SystemRandomNumberGenerator()
        return ID128(high: generator.next(), low: generator.next())
    }

    /// Reads 32 hexadecimal digits, or a UUID with its dashes (as in `/proc/sys/kernel/random/boot_id`); `nil` for
    /// anything else.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let id = text.withUTF8({ ID128(bytes: $0) }) else { return nil }
        self = id
    }

    /// The same, of the text's bytes.
    public init?(bytes: UnsafeBufferPointer<UInt8>) {
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for byte in bytes where byte != UInt8(ascii: "-") {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            if digits < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
            digits += 1
            if digits > 32 { return nil }
        }
        if digits != 32 { return nil }
        self.init(high: words.0, low: words.1)
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 32) { text in
            for index in 0..<32 {
                let digit = UInt8(truncatingIfNeeded: (index < 16 ? high : low) >> (60 - index % 16 * 4)) & 15
                text[index] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            }
            return 32
        }
    }

    public init(from decoder: any Decoder) throws {
        let text = try String(from: decoder)
        guard let id = ID128(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not 32 hexadecimal digits"))
        }
        self = id
    }
    public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}

/// Identifies one attempt, on this machine and in the journal (`$INVOCATION_ID`, systemd.exec(5)).
public typealias InvocationID = ID128

/// Identifies one boot of the machine (`/proc/sys/kernel/random/boot_id`).
public typealias BootID = ID128

/// A moment of CLOCK_REALTIME in µs since 1970, for display and for the store; never used for deadlines.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    public init(from decoder: any Decoder) throws { microseconds = try Int64(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try microseconds.encode(to: encoder) }
}
