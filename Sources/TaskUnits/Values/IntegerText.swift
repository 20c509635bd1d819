/// An integer as systemd's `safe_ato…` functions read it: blanks in front, a sign, `0x`, `0o`, `0b` and, in base 0, a
/// leading 0 for octal.
enum IntegerText {
    case value(isNegative: Bool, magnitude: UInt64)
    case tooLarge
    case malformed

    /// `base` 0 looks at the prefix; 8, 10 take none.
    init(_ text: some Sequence<UInt8>, base: UInt64 = 0) {
        var rest = ArraySlice(Array(text))
        var base = base
        rest = rest.drop(while: isBlank)
        if base == 0 {
            if rest.drops("0b") || rest.drops("0B") {
                base = 2
            } else if rest.drops("0o") || rest.drops("0O") {
                base = 8
            }
        }
        rest = rest.drop(while: isSpace)
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        if base == 0 {
            if rest.count > 2, rest.drops("0x") || rest.drops("0X") {
                base = 16
            } else {
                base = rest.first == UInt8(ascii: "0") ? 8 : 10
            }
        }
        guard !rest.isEmpty else {
            self = .malformed
            return
        }
        var magnitude: UInt64 = 0
        var overflow = false
        for byte in rest {
            guard let digit = digitValue(byte), digit < base else {
                self = .malformed
                return
            }
            let (product, first) = magnitude.multipliedReportingOverflow(by: base)
            let (sum, second) = product.addingReportingOverflow(digit)
            magnitude = sum
            overflow = overflow || first || second
        }
        self = overflow ? .tooLarge : .value(isNegative: isNegative, magnitude: magnitude)
    }

    /// As a C `int`.
    var int32: Int32? {
        guard case .value(let isNegative, let magnitude) = self, magnitude <= 1 << 31 else { return nil }
        return Int32(exactly: isNegative ? -Int64(magnitude) : Int64(magnitude))
    }

    /// As an unsigned number; `-0` is 0.
    var unsigned: UInt64? {
        guard case .value(let isNegative, let magnitude) = self, !isNegative || magnitude == 0 else { return nil }
        return magnitude
    }
}

/// Blank, tab, CR, LF: systemd's WHITESPACE.
func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
}

/// What C's number functions skip: isspace(3).
func isSpace(_ byte: UInt8) -> Bool { isBlank(byte) || byte == 0x0B || byte == 0x0C }

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// 0...15, for digits and letters to F.
func digitValue(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}

extension ArraySlice<UInt8> {
    /// Removes the prefix if it is there, and says whether it was.
    mutating func drops(_ prefix: String) -> Bool {
        guard starts(with: prefix.utf8) else { return false }
        removeFirst(prefix.utf8.count)
        return true
    }

    /// Reads decimal digits: `nil` without any; `overflow` if they do not fit.
    mutating func takeDecimal() -> (number: UInt64, overflow: Bool)? {
        let digits = prefix(while: isDigit)
        guard !digits.isEmpty else { return nil }
        removeFirst(digits.count)
        var number: UInt64 = 0
        var overflow = false
        for byte in digits {
            let (product, first) = number.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            number = sum
            overflow = overflow || first || second
        }
        return (number, overflow)
    }
}
