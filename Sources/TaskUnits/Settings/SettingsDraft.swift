import TaskModel

/// Settings as they become, line by line; `TaskSettings` once all lines are read.
struct SettingsDraft: Sendable {
    /// What `AcceptParameters=` says.
    enum Accepted: Sendable, Hashable {
        case unset
        case none
        case any
        case names([String])
    }

    /// A line of `[Parameters]` and the file it stands in: a drop-in may declare anew, the same file may not.
    struct Declared: Sendable {
        var declaration: ParameterDeclaration
        var path: String
    }

    /// Its command is made from `commands` at the end.
    var settings = TaskSettings(command: .init(path: "", arguments: [], expandsEnvironment: true))
    var commands: [TaskSettings.Command] = []
    /// `nil`: the default, which depends on `Type=`.
    var timeoutStart: TimeSpan?
    var accepted = Accepted.unset
    var declared: [Declared] = []
    /// What else is wrong with the line that is being read, beside what its value is refused for.
    var furtherProblems: [ValueError] = []
    /// What is accepted in that line and probably not meant.
    var remarks: [ValueError] = []

    /// systemd's DefaultTimeoutStartSec=; a task that tells when it is ready is given that long to say so.
    static let timeoutStartOfNotify = TimeSpan.microseconds(90_000_000)

    var effectiveTimeoutStart: TimeSpan {
        if let timeoutStart { return timeoutStart }
        return switch settings.kind {
        case .notify: Self.timeoutStartOfNotify
        case .simple: .infinity
        }
    }
}

/// What a value may depend on beside its own text.
struct SettingContext: Sendable {
    let unit: UnitName
    let specifiers: SpecifierContext
    /// The file that the line stands in.
    let path: String

    /// With specifiers replaced.
    func expand(_ text: String) throws(ValueError) -> String {
        try Specifiers.expand(text, unit: unit, context: specifiers)
    }

    /// The words of a list, specifiers replaced in each after splitting, as systemd does it.
    func words(_ text: String) throws(ValueError) -> [String] {
        var words: [String] = []
        for word in try Value.words(text) { words.append(try expand(word)) }
        return words
    }
}
