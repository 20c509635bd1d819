/// Something wrong in a unit file: where it is, what is wrong and what to write instead.
public struct Diagnostic: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Severity: String, Sendable, Hashable {
        /// The unit cannot be used until this is mended.
        case error
        /// The unit is used; what the line says is not.
        case warning
    }

    public var severity: Severity
    public var path: String
    /// From 1; 0 if it concerns the whole file.
    public var line: Int
    /// From 1, in characters; 0 if it concerns the whole line.
    public var column: Int
    /// Empty if it concerns no section.
    public var section: String
    /// Empty if it concerns no setting.
    public var key: String
    public var message: String
    public var remedy: String

    public init(
        _ severity: Severity, path: String, line: Int = 0, column: Int = 0, section: String = "", key: String = "",
        message: String, remedy: String
    ) {
        self.severity = severity
        self.path = path
        self.line = line
        self.column = column
        self.section = section
        self.key = key
        self.message = message
        self.remedy = remedy
    }

    /// `path:line:column: error: KEY: message; remedy`, as compilers write it, so that editors can jump there.
    ///
    /// Paths and texts may quote a file's bytes: control characters are escaped, so that a unit cannot write to the
    /// terminal of whoever checks it.
    public var description: String {
        var text = path
        if line > 0 { text += ":\(line)" }
        if line > 0, column > 0 { text += ":\(column)" }
        text += ": \(severity.rawValue): "
        if !key.isEmpty { text += "\(key): " }
        text += message
        if !remedy.isEmpty { text += "; \(remedy)" }
        return text.escapingControlCharacters()
    }
}

extension Diagnostic: Comparable {
    /// By file, then by position, so that a file is read from its top.
    public static func < (left: Diagnostic, right: Diagnostic) -> Bool {
        if left.path != right.path { return left.path < right.path }
        if left.line != right.line { return left.line < right.line }
        if left.column != right.column { return left.column < right.column }
        return left.message < right.message
    }
}

extension Sequence where Element == Diagnostic {
    /// One of them makes the unit unusable.
    public var containsError: Bool { contains { $0.severity == .error } }
}
