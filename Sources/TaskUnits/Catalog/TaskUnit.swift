public import TaskModel

/// A file that a task is made of.
public struct UnitSource: Sendable, Hashable {
    public var path: String
    /// For people: bytes that are not UTF-8 are replaced.
    public var text: String

    public init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}

/// A task that can be fired.
public struct TaskUnit: Sendable {
    /// With its instance, without `.task`: the unit's own name, also if it was asked for by an alias.
    public let name: String
    public let settings: TaskSettings
    /// Only warnings.
    public let diagnostics: [Diagnostic]
    /// The unit file, then its drop-ins in the order in which they apply.
    public let sources: [UnitSource]
    public let effective: [EffectiveSetting]
}

/// What the unit directories hold under one name.
public struct CatalogEntry: Sendable {
    public enum State: String, Sendable, Hashable {
        case loaded
        /// Fired by its instances only.
        case template
        case masked
        /// Refused, or not readable; the diagnostics say why.
        case badSetting = "bad-setting"
    }

    /// Without `.task`; a template ends in `@`.
    public let name: String
    public let state: State
    public let path: String
    public let description: String
    public let diagnostics: [Diagnostic]
    /// Only of a task that can be fired.
    public let settings: TaskSettings?
    public let sources: [UnitSource]
    /// Of a template, values are as they are written.
    public let effective: [EffectiveSetting]
}
