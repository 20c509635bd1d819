public import TaskModel

extension Value {
    /// A time span (systemd.time(7)): terms add up, `1h 30min`; a number without a unit is in `defaultUnitMicroseconds`.
    ///
    /// The default unit is at least 1 µs. `zeroIsInfinity` is the rule of `TimeoutStartSec=`, `TimeoutStopSec=` and `JobTimeoutSec=`.
    public static func timeSpan(
        _ text: String, zeroIsInfinity: Bool = false, defaultUnitMicroseconds: UInt64 = 1_000_000
    ) throws(ValueError) -> TimeSpan {
        let bytes = ArraySlice(Array(text.utf8))
        var rest = bytes.drop(while: isBlank)
        if rest.drops("infinity") {
            guard rest.allSatisfy(isBlank) else {
                throw ValueError(
                    message: "infinity does not stand alone in \(quoted(text))", remedy: "write infinity alone",
                    offset: rest.startIndex)
            }
            return .infinity
        }
        var total: UInt64 = 0
        var isEmpty = true
        while true {
            rest = rest.drop(while: isBlank)
            if rest.isEmpty { break }
            isEmpty = false
            try addTerm(&rest, to: &total, defaultUnit: defaultUnitMicroseconds, of: text)
        }
        if isEmpty { throw malformed(text, at: 0) }
        return zeroIsInfinity && total == 0 ? .infinity : .microseconds(total)
    }

    /// Reads one number with its unit. The sum stays below `UInt64.max`, which is infinity in systemd.
    private static func addTerm(
        _ rest: inout ArraySlice<UInt8>, to total: inout UInt64, defaultUnit: UInt64, of text: String
    ) throws(ValueError) {
        let start = rest.startIndex
        var whole: (number: UInt64, overflow: Bool)?
        if rest.first != UInt8(ascii: ".") {
            rest = rest.drop(while: isSpace)
            _ = rest.drops("+")
            whole = rest.takeDecimal()
            if whole == nil { throw malformed(text, at: start) }
        }
        let number = whole?.number ?? 0
        if whole?.overflow == true || number > UInt64(Int64.max) { throw tooLong(text, at: start) }
        var fraction: ArraySlice<UInt8>?
        if rest.drops(".") {
            let digits = rest.prefix(while: isDigit)
            if digits.isEmpty { throw malformed(text, at: rest.startIndex) }
            rest.removeFirst(digits.count)
            fraction = digits
        }
        let unitStart = rest.startIndex
        rest = rest.drop(while: isBlank)
        var unit = max(defaultUnit, 1)
        if let known = units.first(where: { rest.starts(with: $0.name.utf8) }) {
            rest.removeFirst(known.name.utf8.count)
            unit = known.microseconds
        } else if rest.startIndex == unitStart, !rest.isEmpty {
            throw malformed(text, at: unitStart)
        }
        if number >= UInt64.max / unit { throw tooLong(text, at: start) }
        try add(number * unit)
        var place = unit / 10
        for digit in fraction ?? [] where place > 0 {
            try add(UInt64(digit - UInt8(ascii: "0")) * place)
            place /= 10
        }

        func add(_ part: UInt64) throws(ValueError) {
            let (sum, overflow) = total.addingReportingOverflow(part)
            if overflow || sum == .max { throw tooLong(text, at: start) }
            total = sum
        }
    }

    private static func malformed(_ text: String, at offset: Int) -> ValueError {
        ValueError(
            message: "\(quoted(text)) is no time span",
            remedy:
                "write a number with us, ms, s, min, h, d, w, M (months) or y, such as 90s or 1h 30min, or infinity",
            offset: offset)
    }

    private static func tooLong(_ text: String, at offset: Int) -> ValueError {
        ValueError(message: "\(quoted(text)) is longer than can be counted", remedy: "write infinity", offset: offset)
    }

    /// A longer name stands before every name it begins with.
    private static let units: [(name: String, microseconds: UInt64)] = {
        let second: UInt64 = 1_000_000
        let day = 86_400 * second
        let month = 2_629_800 * second
        let year = 31_557_600 * second
        return [
            ("seconds", second), ("second", second), ("sec", second), ("s", second),
            ("minutes", 60 * second), ("minute", 60 * second), ("min", 60 * second),
            ("months", month), ("month", month), ("M", month),
            ("msec", 1000), ("ms", 1000), ("m", 60 * second),
            ("hours", 3600 * second), ("hour", 3600 * second), ("hr", 3600 * second), ("h", 3600 * second),
            ("days", day), ("day", day), ("d", day),
            ("weeks", 7 * day), ("week", 7 * day), ("w", 7 * day),
            ("years", year), ("year", year), ("y", year),
            ("usec", 1), ("us", 1), ("\u{3BC}s", 1), ("\u{B5}s", 1),
        ]
    }()
}
