/// An entry in journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
public struct JournalEntry: Sendable, Hashable {
    /// A longer value is cut: a datagram holds some 200 KB.
    static let longest = 32 * 1024

    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// A name that journald would not take (A–Z, 0–9, _; neither _ nor a digit first) is left out.
    public mutating func add(_ name: String, _ value: String) {
        guard Self.isName(name) else { return }
        let value = Array(value.utf8.prefix(Self.longest))
        bytes += Array(name.utf8)
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            let length = UInt64(value.count)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (65...90).contains(first), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
    }
}
