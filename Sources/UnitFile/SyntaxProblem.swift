/// A place in a file: line and column, both from 1. A column is one Unicode scalar; a tab counts as one.
public struct Position: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: Position, right: Position) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    public var description: String { "\(line):\(column)" }
}

/// Something in a unit file that is not read as its author probably meant it.
public struct SyntaxProblem: Error, Sendable, Hashable {
    public var position: Position
    /// What is wrong, without the position.
    public var message: String
    /// What to write instead.
    public var remedy: String
    /// The rest of the file cannot be trusted: the whole file is refused. Otherwise only this line is skipped.
    public var isFatal: Bool

    public init(position: Position, message: String, remedy: String, isFatal: Bool) {
        self.position = position
        self.message = message
        self.remedy = remedy
        self.isFatal = isFatal
    }
}
