/// Tells what kind of JSON value (RFC 8259) a text is, without making a value of it: parameters keep their text.
enum JSONText {
    /// Deeper nesting is refused: a script's parser may recurse.
    static let deepest = 64

    /// `nil` if `text` is not exactly one JSON value (blanks around it are allowed), or holds a doubled name.
    static func kind(of text: String) -> Kind? {
        var scanner = Scanner(bytes: Array(text.utf8))
        scanner.skipBlanks()
        guard let kind = scanner.value(depth: 0) else { return nil }
        scanner.skipBlanks()
        return scanner.isAtEnd ? kind : nil
    }

    /// Whether a string in it, or a name, holds a NUL (`\u0000`): most parsers of scripts end the text there.
    static func holdsNUL(_ text: String) -> Bool {
        var rest = text.utf8[...]
        while let backslash = rest.firstIndex(of: UInt8(ascii: "\\")) {
            rest = rest[rest.index(after: backslash)...]
            if rest.starts(with: "u0000".utf8) { return true }
            rest = rest.dropFirst()
        }
        return false
    }

    enum Kind: Equatable { case string, integer, number, boolean, null, array, object }

    private struct Scanner {
        let bytes: [UInt8]
        var index = 0

        var isAtEnd: Bool { index == bytes.count }
        private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func skipBlanks() {
            while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            if next != byte { return false }
            index += 1
            return true
        }

        private mutating func take(word: StaticString) -> Bool {
            word.withUTF8Buffer { word in
                guard bytes.count - index >= word.count, bytes[index..<(index + word.count)].elementsEqual(word)
                else { return false }
                index += word.count
                return true
            }
        }

        mutating func value(depth: Int) -> Kind? {
            switch next {
            case UInt8(ascii: "\""): return string() != nil ? .string : nil
            case UInt8(ascii: "t"): return take(word: "true") ? .boolean : nil
            case UInt8(ascii: "f"): return take(word: "false") ? .boolean : nil
            case UInt8(ascii: "n"): return take(word: "null") ? .null : nil
            case UInt8(ascii: "["): return depth < deepest && array(depth: depth + 1) ? .array : nil
            case UInt8(ascii: "{"): return depth < deepest && object(depth: depth + 1) ? .object : nil
            default: return number()
            }
        }

        private mutating func array(depth: Int) -> Bool {
            index += 1
            skipBlanks()
            if take(UInt8(ascii: "]")) { return true }
            while true {
                skipBlanks()
                if value(depth: depth) == nil { return false }
                skipBlanks()
                if take(UInt8(ascii: "]")) { return true }
                if !take(UInt8(ascii: ",")) { return false }
            }
        }

        private mutating func object(depth: Int) -> Bool {
            index += 1
            skipBlanks()
            if take(UInt8(ascii: "}")) { return true }
            var names: Set<ArraySlice<UInt8>> = []
            while true {
                skipBlanks()
                guard next == UInt8(ascii: "\""), let name = string(), names.insert(name).inserted else { return false }
                skipBlanks()
                if !take(UInt8(ascii: ":")) { return false }
                skipBlanks()
                if value(depth: depth) == nil { return false }
                skipBlanks()
                if take(UInt8(ascii: "}")) { return true }
                if !take(UInt8(ascii: ",")) { return false }
            }
        }

        /// The bytes between the quotation marks, escapes as written.
        private mutating func string() -> ArraySlice<UInt8>? {
            index += 1
            let start = index
            while let byte = next {
                index += 1
                switch byte {
                case UInt8(ascii: "\""): return bytes[start..<(index - 1)]
                case UInt8(ascii: "\\"): if !escape() { return nil }
                case 0..<0x20: return nil
                default: break
                }
            }
            return nil
        }

        private mutating func escape() -> Bool {
            guard let byte = next else { return false }
            index += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                return true
            case UInt8(ascii: "u"):
                guard let unit = fourDigits() else { return false }
                if (0xDC00...0xDFFF).contains(unit) { return false }
                if !(0xD800...0xDBFF).contains(unit) { return true }
                // The first half of a surrogate pair: alone it is no character.
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let second = fourDigits() else { return false }
                return (0xDC00...0xDFFF).contains(second)
            default: return false
            }
        }

        private mutating func fourDigits() -> UInt16? {
            var value: UInt16 = 0
            for _ in 0..<4 {
                guard let byte = next else { return nil }
                let digit: UInt8
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
                case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
                default: return nil
                }
                value = value << 4 | UInt16(digit)
                index += 1
            }
            return value
        }

        private mutating func digits() -> Bool {
            let start = index
            while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
            return index > start
        }

        private mutating func number() -> Kind? {
            var kind = Kind.integer
            _ = take(UInt8(ascii: "-"))
            if !take(UInt8(ascii: "0")), !digits() { return nil }
            if take(UInt8(ascii: ".")) {
                kind = .number
                if !digits() { return nil }
            }
            if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
                kind = .number
                if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
                if !digits() { return nil }
            }
            return kind
        }
    }
}
