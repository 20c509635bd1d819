/// Cuts a file into logical lines: comments left out, continuation lines joined.
///
/// Follows systemd's reader (systemd.syntax(7); what the manual leaves open was tried on systemd 252).
struct LogicalLines {
    struct Line {
        var bytes: [UInt8]
        /// Where each physical line begins in `bytes`.
        var pieces: [(offset: Int, line: Int)]

        /// The place in the file of the byte at `offset`.
        func position(_ offset: Int) -> Position {
            var piece = pieces[0]
            for next in pieces.dropFirst() where next.offset <= offset { piece = next }
            let columns = bytes[piece.offset..<max(offset, piece.offset)].count { $0 & 0xC0 != 0x80 }
            return Position(line: piece.line, column: columns + 1)
        }
    }

    /// Longest line, physical or joined, in bytes.
    static let limit = 1 << 20

    private let bytes: [UInt8]
    private var index = 0
    private var number = 0
    private var markSeen = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next logical line, blank ones included; `nil` at the end.
    mutating func next() throws(SyntaxProblem) -> Line? {
        var line = Line(bytes: [], pieces: [])
        while let range = try nextPhysical() {
            var content = bytes[range]
            if let first = content.first(where: { !isBlank($0) }), isCommentMark(first) { continue }
            if !markSeen, content.starts(with: [0xEF, 0xBB, 0xBF]) {
                content = content.dropFirst(3)
                markSeen = true
            }
            if !line.pieces.isEmpty, line.bytes.count + content.count > Self.limit { throw tooLong() }
            line.pieces.append((line.bytes.count, number))
            line.bytes += content
            let backslashes = content.reversed().prefix { $0 == UInt8(ascii: "\\") }.count
            if backslashes % 2 == 0 { return line }
            line.bytes[line.bytes.count - 1] = UInt8(ascii: " ")
        }
        return line.pieces.isEmpty ? nil : line
    }

    /// The next physical line without its end: LF, CR or NUL, or each of them at most once in a row, NUL last.
    private mutating func nextPhysical() throws(SyntaxProblem) -> Range<Int>? {
        guard index < bytes.count else { return nil }
        number += 1
        let start = index
        while index < bytes.count, lineEnd(bytes[index]) == 0 { index += 1 }
        let end = index
        if end - start >= Self.limit { throw tooLong() }
        var seen: UInt8 = 0
        while index < bytes.count {
            let kind = lineEnd(bytes[index])
            if kind == 0 || seen & (kind | lineEnd(0)) != 0 { break }
            seen |= kind
            index += 1
        }
        return start..<end
    }

    /// 0: not a line end.
    private func lineEnd(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "\n"): 1
        case UInt8(ascii: "\r"): 2
        case 0: 4
        default: 0
        }
    }

    private func tooLong() -> SyntaxProblem {
        SyntaxProblem(
            position: Position(line: number, column: 1), message: "line of 1 MiB or more",
            remedy: "split the value over several assignments", isFatal: true)
    }
}

/// The only blanks that unit files know: blank and tab, beside line ends. Not VT, FF or NBSP.
func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
}

private func isCommentMark(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") }
