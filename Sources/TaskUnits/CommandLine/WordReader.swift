/// Cuts a value into words at blanks, with quotes and escapes (systemd.syntax(7)).
///
/// Double and single quotes behave alike and may open in the middle of a word.
struct WordReader {
    /// What a backslash does.
    enum Escapes {
        /// `Exec…=`: an unknown or incomplete escape keeps its backslash.
        case lenient
        /// `Environment=`: an unknown escape is an error.
        case strict
        /// The value of a variable at run time: protects the next byte; open quotes are tolerated.
        case protecting
    }

    struct Word {
        var bytes: [UInt8]
        /// Where the word begins, as a UTF-8 offset.
        var offset: Int
        /// The first escape that was kept as it stands.
        var unknownEscape: Int?

        /// Escapes can make bytes that are no text; a string would silently change them.
        func text() throws(ValueError) -> String {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ValueError(
                    message: "escapes in this word make bytes that are not UTF-8",
                    remedy: "write the character itself, or escape every byte of it", offset: offset)
            }
            return text
        }
    }

    private let text: [UInt8]
    private let escapes: Escapes
    /// No file has one in a value, but other callers may, and execve(2) would cut an argument there.
    private let nul: Int?
    private var index = 0

    init(_ text: String, escapes: Escapes) {
        self.text = Array(text.utf8)
        self.escapes = escapes
        nul = self.text.firstIndex(of: 0)
    }

    /// What has not been read yet; blanks in front of the next word are skipped already.
    var rest: ArraySlice<UInt8> { text[index...] }
    var offset: Int { index }

    /// Skips `count` bytes and the blanks behind them.
    mutating func skip(_ count: Int) {
        index = min(index + count, text.count)
        while index < text.count, isBlank(text[index]) { index += 1 }
    }

    /// The next word; `nil` at the end.
    mutating func next() throws(ValueError) -> Word? {
        skip(0)
        guard index < text.count else { return nil }
        if let nul {
            throw ValueError(message: "a NUL byte", remedy: "leave it out", offset: nul)
        }
        var word = Word(bytes: [], offset: index)
        var quote: (mark: UInt8, offset: Int)?
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\\") {
                try readEscape(into: &word, isQuoted: quote != nil)
                continue
            } else if let open = quote {
                if byte == open.mark { quote = nil } else { word.bytes.append(byte) }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = (byte, index)
            } else if isBlank(byte) {
                skip(0)
                return word
            } else {
                word.bytes.append(byte)
            }
            index += 1
        }
        if let quote, escapes != .protecting {
            throw ValueError(
                message: "the quote that opens here is never closed",
                remedy: "close it, or write \\\(Character(Unicode.Scalar(quote.mark))) for the character itself",
                offset: quote.offset)
        }
        return word
    }

    private mutating func readEscape(into word: inout Word, isQuoted: Bool) throws(ValueError) {
        let start = index
        index += 1
        guard index < text.count else {
            switch escapes {
            case .protecting: return
            // An open quote is told as such.
            case .lenient:
                word.bytes.append(UInt8(ascii: "\\"))
                return
            case .strict: throw unknownEscape(at: start)
            }
        }
        if escapes == .protecting {
            word.bytes.append(text[index])
            index += 1
        } else if let (bytes, length) = Escape.decode(text[index...]) {
            word.bytes += bytes
            index += length
        } else if escapes == .strict {
            throw unknownEscape(at: start)
        } else {
            word.unknownEscape = word.unknownEscape ?? start
            word.bytes += [UInt8(ascii: "\\"), text[index]]
            index += 1
        }
    }

    private func unknownEscape(at offset: Int) -> ValueError {
        ValueError(
            message: "an unknown escape", remedy: "write \\\\ for a backslash, \\s for a blank, \\xHH for a byte",
            offset: offset)
    }
}

extension Value {
    /// The words of a command line before specifiers and variables.
    public static func words(_ text: String) throws(ValueError) -> [String] {
        var reader = WordReader(text, escapes: .lenient)
        var words: [String] = []
        while let word = try reader.next() { words.append(try word.text()) }
        return words
    }
}
