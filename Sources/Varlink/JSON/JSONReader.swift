extension JSON {
    /// Levels of arrays and objects that are read. A limit keeps a hostile text from using up the stack, here and when
    /// the value is freed.
    public static let depthLimit = 64

    /// Reads one JSON text, strictly as RFC 8259 says; also refused: doubled names, lone surrogates, a byte order mark.
    public init(parsing bytes: Span<UInt8>) throws(JSONError) {
        var reader = JSONReader()
        self = try reader.text(bytes)
    }

    /// Reads one JSON text.
    public init(parsing bytes: [UInt8]) throws(JSONError) { try self.init(parsing: bytes.span) }

    /// Reads one JSON text.
    public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

/// One pass over the bytes. `Span` checks each index; nothing here can read outside the text.
struct JSONReader {
    private var position = 0
    private var depth = 0

    mutating func text(_ bytes: Span<UInt8>) throws(JSONError) -> JSON {
        skipWhitespace(bytes)
        let value = try value(bytes)
        skipWhitespace(bytes)
        guard position == bytes.count else { throw JSONError(.trailingBytes, at: position) }
        return value
    }

    private mutating func value(_ bytes: Span<UInt8>) throws(JSONError) -> JSON {
        switch try peek(bytes) {
        case UInt8(ascii: "{"): return .object(try object(bytes))
        case UInt8(ascii: "["): return .array(try array(bytes))
        case UInt8(ascii: "\""): return .string(try string(bytes))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number(bytes))
        case UInt8(ascii: "t"):
            try literal("true", bytes)
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false", bytes)
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null", bytes)
            return .null
        case let byte: throw JSONError(.unexpectedByte(byte), at: position)
        }
    }

    // MARK: Arrays and objects

    private mutating func array(_ bytes: Span<UInt8>) throws(JSONError) -> [JSON] {
        try enter()
        var elements: [JSON] = []
        skipWhitespace(bytes)
        if try peek(bytes) != UInt8(ascii: "]") {
            while true {
                elements.append(try value(bytes))
                skipWhitespace(bytes)
                guard try comma(bytes, orEnd: UInt8(ascii: "]")) else { break }
            }
        }
        leave()
        return elements
    }

    private mutating func object(_ bytes: Span<UInt8>) throws(JSONError) -> JSONObject {
        try enter()
        var names = UniqueNames()
        var values: [JSON] = []
        skipWhitespace(bytes)
        if try peek(bytes) != UInt8(ascii: "}") {
            while true {
                let start = position
                guard try peek(bytes) == UInt8(ascii: "\"") else { throw unexpected(bytes) }
                let name = try string(bytes)
                guard names.insert(name) else { throw JSONError(.doubledName, at: start).inside(name) }
                skipWhitespace(bytes)
                guard try peek(bytes) == UInt8(ascii: ":") else { throw unexpected(bytes) }
                position += 1
                skipWhitespace(bytes)
                do throws(JSONError) {
                    values.append(try value(bytes))
                } catch {
                    throw error.inside(name)
                }
                skipWhitespace(bytes)
                guard try comma(bytes, orEnd: UInt8(ascii: "}")) else { break }
            }
        }
        leave()
        return JSONObject(uniqueNames: names.all, values: values)
    }

    private mutating func enter() throws(JSONError) {
        guard depth < JSON.depthLimit else { throw JSONError(.tooDeep, at: position) }
        depth += 1
        position += 1
    }

    private mutating func leave() {
        depth -= 1
        position += 1
    }

    /// True and behind the comma, or false and at `end`.
    private mutating func comma(_ bytes: Span<UInt8>, orEnd end: UInt8) throws(JSONError) -> Bool {
        switch try peek(bytes) {
        case UInt8(ascii: ","):
            position += 1
            skipWhitespace(bytes)
            return true
        case end: return false
        default: throw unexpected(bytes)
        }
    }

    // MARK: Numbers and words

    private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if at(UInt8(ascii: "0"), bytes) {
            position += 1
            guard !atDigit(bytes) else { throw JSONError(.badNumber, at: start) }
        } else {
            try digits(bytes, of: start)
        }
        if at(UInt8(ascii: "."), bytes) {
            position += 1
            try digits(bytes, of: start)
        }
        if at(UInt8(ascii: "e"), bytes) || at(UInt8(ascii: "E"), bytes) {
            position += 1
            if at(UInt8(ascii: "+"), bytes) || at(UInt8(ascii: "-"), bytes) { position += 1 }
            try digits(bytes, of: start)
        }
        return try Self.text(bytes.extracting(start..<position), at: start)
    }

    private mutating func digits(_ bytes: Span<UInt8>, of start: Int) throws(JSONError) {
        guard atDigit(bytes) else { throw JSONError(.badNumber, at: start) }
        while atDigit(bytes) { position += 1 }
    }

    private mutating func literal(_ word: StaticString, _ bytes: Span<UInt8>) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard try peek(bytes) == word.utf8Start[index] else { throw unexpected(bytes) }
            position += 1
        }
    }

    // MARK: Strings

    /// At the opening quote; afterwards behind the closing one.
    private mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        position += 1
        let start = position
        try skipPlain(bytes)
        if bytes[position] == UInt8(ascii: "\"") {
            let text = try Self.text(bytes.extracting(start..<position), at: start)
            position += 1
            return text
        }
        position = start
        return try escapedString(bytes)
    }

    /// A string with escapes: its plain stretches are checked and copied, its escapes resolved.
    private mutating func escapedString(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        var text = ""
        while true {
            let start = position
            try skipPlain(bytes)
            text += try Self.text(bytes.extracting(start..<position), at: start)
            let isEnd = bytes[position] == UInt8(ascii: "\"")
            position += 1
            if isEnd { return text }
            text.unicodeScalars.append(try escape(bytes))
        }
    }

    /// Moves to the next quote or backslash; both cannot be part of a longer UTF-8 sequence.
    private mutating func skipPlain(_ bytes: Span<UInt8>) throws(JSONError) {
        var index = position
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                position = index
                return
            }
            guard byte >= 0x20 else { throw JSONError(.controlCharacter, at: index) }
            index += 1
        }
        throw JSONError(.unexpectedEnd, at: bytes.count)
    }

    /// Behind the backslash; afterwards behind the escape.
    private mutating func escape(_ bytes: Span<UInt8>) throws(JSONError) -> Unicode.Scalar {
        let start = position - 1
        let letter = try peek(bytes)
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw JSONError(.badEscape, at: start)
        }
        let first = try hexadecimal(bytes)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first), at(UInt8(ascii: "\\"), bytes) else {
            throw JSONError(.loneSurrogate, at: start)
        }
        position += 1
        guard at(UInt8(ascii: "u"), bytes) else { throw JSONError(.loneSurrogate, at: start) }
        position += 1
        let second = try hexadecimal(bytes)
        guard UTF16.isTrailSurrogate(second) else { throw JSONError(.loneSurrogate, at: start) }
        let value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        guard let scalar = Unicode.Scalar(value) else { throw JSONError(.loneSurrogate, at: start) }
        return scalar
    }

    private mutating func hexadecimal(_ bytes: Span<UInt8>) throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8 =
                switch try peek(bytes) {
                case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"): byte - UInt8(ascii: "0")
                case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"):
                    byte - UInt8(ascii: "a") + 10
                case let byte where byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"):
                    byte - UInt8(ascii: "A") + 10
                default: throw JSONError(.badEscape, at: position)
                }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private static func text(_ bytes: Span<UInt8>, at offset: Int) throws(JSONError) -> String {
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: bytes))
        } catch {
            throw JSONError(.invalidUTF8, at: offset + error.byteOffsets.lowerBound)
        }
    }

    // MARK: Bytes

    private func peek(_ bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
        guard position < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
        return bytes[position]
    }

    private func at(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool { position < bytes.count && bytes[position] == byte }

    private func atDigit(_ bytes: Span<UInt8>) -> Bool {
        position < bytes.count && bytes[position] >= UInt8(ascii: "0") && bytes[position] <= UInt8(ascii: "9")
    }

    private func unexpected(_ bytes: Span<UInt8>) -> JSONError {
        position < bytes.count
            ? JSONError(.unexpectedByte(bytes[position]), at: position) : JSONError(.unexpectedEnd, at: position)
    }

    private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }
}

/// The names of an object in their order. Small objects are searched, large ones hashed: a message full of names must not
/// cost the square of their number.
private struct UniqueNames {
    private(set) var all: [String] = []
    private var hashed: Set<Name> = []
    private static let searched = 16

    /// False if the name is there already.
    mutating func insert(_ name: String) -> Bool {
        let key = Name(text: name)
        if all.count < Self.searched {
            for other in all where Name(text: other) == key { return false }
        } else {
            if hashed.isEmpty { hashed = Set(all.map(Name.init)) }
            guard hashed.insert(key).inserted else { return false }
        }
        all.append(name)
        return true
    }

    /// Compared by its bytes: to `String`, é and e with an accent are the same, to JSON they are not.
    private struct Name: Hashable {
        let text: String

        static func == (left: Name, right: Name) -> Bool {
            left.text == right.text && left.text.utf8.elementsEqual(right.text.utf8)
        }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }
}
