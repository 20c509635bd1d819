extension Value {
    /// Bytes: a number with B, K, M, G, T, P or E, larger units first when combined (`1G 512M`). `base` is 1024 or 1000.
    ///
    /// `infinity` and percentages belong to the setting.
    public static func size(_ text: String, base: UInt64 = 1024) throws(ValueError) -> UInt64 {
        var rest = ArraySlice(Array(text.utf8))
        var total: UInt64 = 0
        /// Index of the largest suffix that may still come.
        var next = 0
        repeat {
            let start = rest.startIndex
            rest = rest.drop(while: isSpace)
            _ = rest.drops("+")
            guard let whole = rest.takeDecimal() else { throw malformedSize(text, at: start) }
            if whole.overflow { throw tooLarge(text, at: start) }
            let fraction = try takeFraction(&rest, of: text)
            rest = rest.drop(while: isBlank)
            let letter = rest.first
            guard let index = suffixes[next...].firstIndex(where: { $0 == nil || $0 == letter }) else {
                throw malformedSize(text, at: rest.startIndex)
            }
            if suffixes[index] != nil { rest.removeFirst() }
            // "" and B are both bytes: the factor's power counts from the end.
            let factor = (0..<max(0, 6 - index)).reduce(UInt64(1)) { factor, _ in factor * base }
            let (product, first) = whole.number.multipliedReportingOverflow(by: factor)
            let (sum, second) = product.addingReportingOverflow(UInt64(fraction * Double(factor)))
            let (grown, third) = total.addingReportingOverflow(sum)
            if first || second || third { throw tooLarge(text, at: start) }
            total = grown
            next = index + 1
        } while !rest.isEmpty
        return total
    }

    private static let suffixes: [UInt8?] = "EPTGMKB".utf8.map { $0 } + [nil]

    /// What stands behind a point, as a number below 1; `3.K` is allowed. Fractions of a byte are cut, so the
    /// rounding of Double decides as it does in systemd.
    private static func takeFraction(_ rest: inout ArraySlice<UInt8>, of text: String) throws(ValueError) -> Double {
        guard rest.drops(".") else { return 0 }
        let start = rest.startIndex
        guard let digits = rest.takeDecimal() else { return 0 }
        if digits.overflow { throw tooLarge(text, at: start) }
        return (start..<rest.startIndex).reduce(Double(digits.number)) { value, _ in value / 10 }
    }

    private static func malformedSize(_ text: String, at offset: Int) -> ValueError {
        ValueError(
            message: "\(quoted(text)) is no size",
            remedy: "write a number with K, M, G, T, P or E behind it (upper case, without iB), such as 512M",
            offset: offset)
    }

    private static func tooLarge(_ text: String, at offset: Int) -> ValueError {
        ValueError(message: "\(quoted(text)) does not fit into 64 bits", remedy: "write a smaller size", offset: offset)
    }
}
