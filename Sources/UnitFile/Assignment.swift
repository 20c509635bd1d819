/// One `Key=Value` line of a section, blanks around both removed, continuation lines joined.
///
/// Quotes, escapes and specifiers mean nothing at this level: the value is as it stands in the file.
public struct Assignment: Sendable, Hashable {
    public let section: String
    public let key: String
    public let value: String
    public let keyPosition: Position
    public let valuePosition: Position
    /// Where each physical line of a joined value begins, beside the first.
    let continuations: [Continuation]

    struct Continuation: Sendable, Hashable {
        /// UTF-8 offset in `value`.
        var offset: Int
        var position: Position
    }

    public init(section: String, key: String, value: String, keyPosition: Position, valuePosition: Position) {
        self.init(
            section: section, key: key, value: value, keyPosition: keyPosition, valuePosition: valuePosition,
            continuations: [])
    }

    init(
        section: String, key: String, value: String, keyPosition: Position, valuePosition: Position,
        continuations: [Continuation]
    ) {
        self.section = section
        self.key = key
        self.value = value
        self.keyPosition = keyPosition
        self.valuePosition = valuePosition
        self.continuations = continuations
    }

    /// The place in the file that a UTF-8 offset of `value` came from.
    ///
    /// The blank that replaces a backslash and its line end is where the backslash was. An offset outside of the
    /// value is taken as the nearest one inside.
    public func position(ofUTF8Offset offset: Int) -> Position {
        let offset = min(max(offset, 0), value.utf8.count)
        let piece =
            continuations.last { $0.offset <= offset } ?? Continuation(offset: 0, position: valuePosition)
        let columns = value.utf8.dropFirst(piece.offset).prefix(offset - piece.offset).count { $0 & 0xC0 != 0x80 }
        return Position(line: piece.position.line, column: piece.position.column + columns)
    }
}
