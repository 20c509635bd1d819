/// How fine a percentage is.
public enum PercentScale: String, Sendable, Hashable, CaseIterable {
    /// Whole percents, 0...100.
    case percent
    case percentUnbounded = "percent_unbounded"
    /// One decimal, in thousandths; also `55‰`.
    case permille
    case permilleUnbounded = "permille_unbounded"
    /// Two decimals, in ten-thousandths; also `5.5‰` and `55‱`.
    case permyriad
    case permyriadUnbounded = "permyriad_unbounded"
}

extension Value {
    /// A percentage with its sign, in units of `scale`.
    public static func percent(_ text: String, scale: PercentScale) throws(ValueError) -> UInt32 {
        let bytes = Array(text.utf8)
        let (signs, limit): ([(sign: String, decimals: Int)], UInt32) =
            switch scale {
            case .percent: ([("%", 0)], 100)
            case .percentUnbounded: ([("%", 0)], .max)
            case .permille: ([("‰", 0), ("%", 1)], 1000)
            case .permilleUnbounded: ([("‰", 0), ("%", 1)], .max)
            case .permyriad: ([("‱", 0), ("‰", 1), ("%", 2)], 10_000)
            case .permyriadUnbounded: ([("‱", 0), ("‰", 1), ("%", 2)], .max)
            }
        guard
            let (sign, decimals) = signs.first(where: { bytes.suffix($0.sign.utf8.count).elementsEqual($0.sign.utf8) }),
            let value = fixedPoint(bytes.dropLast(sign.utf8.count), decimals: decimals)
        else {
            throw ValueError(
                message: "\(quoted(text)) is no percentage",
                remedy: decimalsAllowed(scale) == 0
                    ? "write a whole number and %, such as 50%"
                    : "write a number with at most \(decimalsAllowed(scale)) decimals and %, such as 5.5%")
        }
        if value > limit { throw ValueError(message: "\(quoted(text)) is more than 100%", remedy: "write 0% to 100%") }
        return value
    }

    private static func decimalsAllowed(_ scale: PercentScale) -> Int {
        switch scale {
        case .percent, .percentUnbounded: 0
        case .permille, .permilleUnbounded: 1
        case .permyriad, .permyriadUnbounded: 2
        }
    }

    /// A number from 0 with up to `decimals` digits behind a point, times 10 to the power of `decimals`.
    private static func fixedPoint(_ bytes: ArraySlice<UInt8>, decimals: Int) -> UInt32? {
        var whole = bytes
        var fraction: Int64 = 0
        var scale: Int64 = 1
        for _ in 0..<decimals { scale *= 10 }
        if decimals > 0, let point = bytes.firstIndex(of: UInt8(ascii: ".")) {
            let digits = bytes[(point + 1)...]
            guard (1...decimals).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
            var place = scale
            for digit in digits {
                place /= 10
                fraction += Int64(digit - UInt8(ascii: "0")) * place
            }
            whole = bytes[..<point]
        }
        guard let number = IntegerText(whole).int32, number >= 0 else { return nil }
        return Int32(exactly: Int64(number) * scale + fraction).map { UInt32($0) }
    }
}
