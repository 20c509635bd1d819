public import TaskModel

/// What the lines of a unit mean.
public struct InterpretedUnit: Sendable {
    /// `nil`: there are errors, and nothing may run with part of the settings.
    public let settings: TaskSettings?
    /// By file and position.
    public let diagnostics: [Diagnostic]
    /// In the order of the table; a list has one entry for each line that adds to it.
    public let effective: [EffectiveSetting]
    /// Also of a unit that cannot be used.
    public let description: String

    /// - Parameter context: what specifiers mean for a user, as it is written in `User=`; `nil` is the supervisor's own.
    public init(_ unit: LoadedUnit, context: (String?) -> SpecifierContext) {
        var interpreter = UnitInterpreter(unit, context: context)
        interpreter.read()
        diagnostics = interpreter.diagnostics.sorted()
        settings = diagnostics.containsError ? nil : interpreter.draft.settings
        effective = interpreter.effective
        description = interpreter.draft.settings.description
    }
}
