/// C-style escapes of quoted words (systemd.syntax(7)).
enum Escape {
    /// Reads what stands behind a backslash at the front of `text`: the bytes it means and how many it took.
    ///
    /// `nil` for an unknown or incomplete escape, and for one that would give NUL unless that is accepted.
    static func decode(_ text: ArraySlice<UInt8>, acceptsNUL: Bool = false) -> (bytes: [UInt8], length: Int)? {
        let least: UInt32 = acceptsNUL ? 0 : 1
        guard let first = text.first else { return nil }
        switch first {
        case UInt8(ascii: "a"): return ([0x07], 1)
        case UInt8(ascii: "b"): return ([0x08], 1)
        case UInt8(ascii: "f"): return ([0x0C], 1)
        case UInt8(ascii: "n"): return ([0x0A], 1)
        case UInt8(ascii: "r"): return ([0x0D], 1)
        case UInt8(ascii: "t"): return ([0x09], 1)
        case UInt8(ascii: "v"): return ([0x0B], 1)
        case UInt8(ascii: "s"): return ([0x20], 1)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): return ([first], 1)
        case UInt8(ascii: "x"):
            guard let number = digits(text.dropFirst().prefix(2), count: 2, base: 16), number >= least else {
                return nil
            }
            return ([UInt8(number)], 3)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            guard let number = digits(text.prefix(3), count: 3, base: 8), (least...255).contains(number) else {
                return nil
            }
            return ([UInt8(number)], 3)
        case UInt8(ascii: "u"):
            guard let number = digits(text.dropFirst().prefix(4), count: 4, base: 16), number >= least else {
                return nil
            }
            return (utf8(number), 5)
        case UInt8(ascii: "U"):
            guard let number = digits(text.dropFirst().prefix(8), count: 8, base: 16), number >= least,
                Unicode.Scalar(number) != nil, number & 0xFFFE != 0xFFFE, !(0xFDD0...0xFDEF).contains(number)
            else { return nil }
            return (utf8(number), 9)
        default: return nil
        }
    }

    private static func digits(_ text: ArraySlice<UInt8>, count: Int, base: UInt64) -> UInt32? {
        guard text.count == count else { return nil }
        var number: UInt64 = 0
        for byte in text {
            guard let digit = digitValue(byte), digit < base else { return nil }
            number = number * base + digit
        }
        return UInt32(exactly: number)
    }

    /// Also of a surrogate, which is no text then: whoever makes a string of the bytes refuses it.
    private static func utf8(_ number: UInt32) -> [UInt8] {
        let low = { (shift: UInt32) in UInt8(number >> shift & 0x3F | 0x80) }
        return switch number {
        case ..<0x80: [UInt8(number)]
        case ..<0x800: [UInt8(number >> 6 | 0xC0), low(0)]
        case ..<0x1_0000: [UInt8(number >> 12 | 0xE0), low(6), low(0)]
        default: [UInt8(number >> 18 & 0x07 | 0xF0), low(12), low(6), low(0)]
        }
    }
}
