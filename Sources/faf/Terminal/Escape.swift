/// Makes text that somebody else wrote fit for a terminal: a task's status must not move the cursor, change colours, or
/// pretend to be another line of our output (threat-model F4).
enum Escape {
    /// Controls as `\n`, `\t`, `\x1b`, `\u009b`; everything that is shown stays as it is.
    static func forTerminal(_ text: String, keepingTabs: Bool = false) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isHarmless(scalar) || (keepingTabs && scalar == "\t") {
                result.unicodeScalars.append(scalar)
            } else {
                result += escaped(scalar)
            }
        }
        return result
    }

    /// JSON leaves DEL, the C1 controls and direction overrides alone; as `\uXXXX` they mean the same to every reader
    /// and nothing to a terminal.
    static func inJSON(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x7f }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" || isHarmless(scalar) {
                result.unicodeScalars.append(scalar)
            } else if scalar.value > 0xffff {
                result += utf16(scalar)
            } else {
                result += "\\u" + hexadecimal(scalar.value, digits: 4)
            }
        }
        return result
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7f { return scalar.value >= 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: return false
        // Direction overrides can make a line read differently from what it is; the joiners are part of letters.
        case .format: return scalar == "\u{200c}" || scalar == "\u{200d}"
        default: return true
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case let low where low.value < 0x80: "\\x" + hexadecimal(low.value, digits: 2)
        case let basic where basic.value <= 0xffff: "\\u" + hexadecimal(basic.value, digits: 4)
        default: "\\U" + hexadecimal(scalar.value, digits: 8)
        }
    }

    private static func utf16(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { "\\u" + hexadecimal(UInt32($0), digits: 4) }.joined()
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
