extension Value {
    /// Octal permission bits, `0022`, at most 7777.
    public static func umask(_ text: String) throws(ValueError) -> UInt16 {
        // A sign would be read as a mode change, which this is not.
        let isSigned = text.utf8.first { !isBlank($0) }.map { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        guard isSigned != true, let mode = IntegerText(text.utf8, base: 8).unsigned, mode <= 0o7777 else {
            throw ValueError(message: "\(quoted(text)) is no octal mode", remedy: "write octal digits, such as 0022")
        }
        return UInt16(mode)
    }

    /// A nice level, -20...19.
    public static func nice(_ text: String) throws(ValueError) -> Int8 {
        Int8(try integer(text, in: -20...19))
    }

    /// A whole number in `range`, which lies inside a C `int`.
    public static func integer(_ text: String, in range: ClosedRange<Int>) throws(ValueError) -> Int {
        guard let number = IntegerText(text.utf8).int32, range.contains(Int(number)) else {
            throw ValueError(
                message: "\(quoted(text)) is no whole number from \(range.lowerBound) to \(range.upperBound)",
                remedy: "write a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    /// A whole number from 0 to `limit`.
    public static func unsigned(_ text: String, upTo limit: UInt64 = .max) throws(ValueError) -> UInt64 {
        guard let number = IntegerText(text.utf8).unsigned, number <= limit else {
            throw ValueError(
                message: "\(quoted(text)) is no whole number from 0 to \(limit)",
                remedy: "write a number from 0 to \(limit)")
        }
        return number
    }
}
