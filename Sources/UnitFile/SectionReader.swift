/// Turns logical lines into assignments, remembering the section they stand in.
struct SectionReader {
    private(set) var assignments: [Assignment] = []
    private(set) var warnings: [SyntaxProblem] = []
    private var section: String?

    mutating func read(_ line: LogicalLines.Line) throws(SyntaxProblem) {
        guard let start = line.bytes.firstIndex(where: { !isBlank($0) }),
            let end = line.bytes.lastIndex(where: { !isBlank($0) })
        else { return }
        let text = start..<(end + 1)
        guard UnitFile.isText(line.bytes[text]) else {
            throw SyntaxProblem(
                position: line.position(text.lowerBound), message: "the line is not valid UTF-8",
                remedy: "save the file as UTF-8", isFatal: true)
        }
        if line.bytes[start] == UInt8(ascii: "[") {
            section = try header(line, text)
        } else {
            assign(line, text)
        }
    }

    private func header(_ line: LogicalLines.Line, _ text: Range<Int>) throws(SyntaxProblem) -> String {
        func refused(_ message: String, at offset: Int) -> SyntaxProblem {
            SyntaxProblem(
                position: line.position(offset), message: message,
                remedy: "a section header is a line of its own, [Name], without anything after it", isFatal: true)
        }
        guard text.count > 1, line.bytes[text.upperBound - 1] == UInt8(ascii: "]") else {
            throw refused("the section header does not end with ]", at: text.lowerBound)
        }
        let name = (text.lowerBound + 1)..<(text.upperBound - 1)
        let isUnsafe = { (byte: UInt8) in byte < 0x20 || byte == 0x7F || #"\"'"#.utf8.contains(byte) }
        if let offset = name.first(where: { isUnsafe(line.bytes[$0]) }) {
            throw refused("quote, backslash or control character in a section name", at: offset)
        }
        return String(decoding: line.bytes[name], as: UTF8.self)
    }

    private mutating func assign(_ line: LogicalLines.Line, _ text: Range<Int>) {
        func skipped(_ message: String, _ remedy: String) {
            warnings.append(
                SyntaxProblem(
                    position: line.position(text.lowerBound), message: message, remedy: remedy, isFatal: false))
        }
        guard let section else {
            return skipped("this line stands before the first section", "put a section header such as [Task] above it")
        }
        guard let equals = line.bytes[text].firstIndex(of: UInt8(ascii: "=")) else {
            return skipped("this line has no =", "write Key=Value, or # in front of a comment")
        }
        guard let keyEnd = line.bytes[text.lowerBound..<equals].lastIndex(where: { !isBlank($0) }) else {
            return skipped("there is no key in front of =", "write Key=Value")
        }
        let valueStart = line.bytes[(equals + 1)..<text.upperBound].firstIndex { !isBlank($0) } ?? text.upperBound
        assignments.append(
            Assignment(
                section: section,
                key: String(decoding: line.bytes[text.lowerBound...keyEnd], as: UTF8.self),
                value: String(decoding: line.bytes[valueStart..<text.upperBound], as: UTF8.self),
                keyPosition: line.position(text.lowerBound),
                valuePosition: line.position(valueStart),
                continuations: line.pieces
                    .filter { $0.offset > valueStart && $0.offset < text.upperBound }
                    .map { .init(offset: $0.offset - valueStart, position: Position(line: $0.line, column: 1)) }))
    }
}
