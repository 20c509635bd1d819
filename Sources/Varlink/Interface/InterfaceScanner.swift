/// Words and signs of a `.varlink` text, with their places and the comments before them.
struct InterfaceScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0
    /// Comment lines since the last word or blank line.
    private var comments: [String] = []
    /// A line has ended since the last word or sign.
    private(set) var isOnNewLine = true

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// An error at the current place.
    func error(_ message: String) -> InterfaceError {
        InterfaceError(line: line, column: position - lineStart + 1, message: message)
    }

    /// Where the scanner is, to come back for an error.
    func mark() -> InterfaceScanner { self }

    /// The comment right above the current place.
    mutating func takeComments() -> String {
        defer { comments = [] }
        return comments.joined(separator: "\n")
    }

    /// Whitespace, line ends and comments.
    mutating func skipBlank() {
        while let byte = current {
            switch byte {
            case 0x20, 0x09: step()
            case 0x0A, 0x0D: endOfLine()
            case UInt8(ascii: "#"): comment()
            default: return
            }
        }
    }

    /// Takes `sign` if it is next.
    mutating func take(_ sign: StaticString) -> Bool {
        skipBlank()
        let count = sign.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for index in 0..<count where bytes[position + index] != sign.utf8Start[index] { return false }
        position += count
        isOnNewLine = false
        return true
    }

    /// The letters, digits and bytes of `others` that come next; empty if there are none.
    mutating func word(others: StaticString = "") -> String {
        skipBlank()
        let start = position
        while let byte = current, Self.isAlphanumeric(byte) || Self.contains(others, byte) { position += 1 }
        if position > start { isOnNewLine = false }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// What stands at the current place, for messages.
    var found: String {
        guard let byte = current else { return "the end of the text" }
        guard byte > 0x20 && byte < 0x7F else {
            return byte == 0x0A ? "a line end" : "byte 0x" + String(byte, radix: 16)
        }
        return "'" + String(Unicode.Scalar(byte)) + "'"
    }

    mutating func step() {
        if current == 0x0A {
            endOfLine()
        } else if position < bytes.count {
            position += 1
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// LF, CR LF or CR. A blank line parts a comment from what follows.
    private mutating func endOfLine() {
        if isOnNewLine, bytes[lineStart..<position].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { comments = [] }
        if bytes[position] == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A { position += 1 }
        position += 1
        line += 1
        lineStart = position
        isOnNewLine = true
    }

    private mutating func comment() {
        position += 1
        let start = position
        while let byte = current, byte != 0x0A, byte != 0x0D { position += 1 }
        // A comment behind something on the same line belongs to nothing that follows.
        guard isOnNewLine else { return }
        var text = bytes[start..<position]
        if text.first == 0x20 { text = text.dropFirst() }
        comments.append(String(decoding: text, as: UTF8.self))
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func contains(_ set: StaticString, _ byte: UInt8) -> Bool {
        for index in 0..<set.utf8CodeUnitCount where set.utf8Start[index] == byte { return true }
        return false
    }
}
