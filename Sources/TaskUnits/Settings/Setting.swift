import TaskModel

/// One row of the table of settings: everything that faf knows about a setting is here, and only here.
public struct Setting: Sendable {
    public enum Status: String, Sendable, Hashable {
        /// Does what its documentation says.
        case enforced
        /// Part of faf's design and not enforced by this version: a unit with it is refused.
        case planned
        /// systemd's, not part of faf: a unit with it is refused.
        case foreign
    }

    public let section: String
    public let key: String
    public let type: SettingType
    /// As it would be written in a unit; empty: nothing.
    public let defaultText: String
    /// One line. For settings that are refused: why.
    public let documentation: String
    /// For settings that are refused: what to do.
    public let remedy: String
    public let status: Status
    /// Each line adds; an empty one empties the list.
    public let isList: Bool

    let effect: Effect

    /// What a line with this setting does.
    struct Effect: Sendable {
        typealias Apply = @Sendable (inout SettingsDraft, String, SettingContext) throws(ValueError) -> Void

        /// Takes the value of one line, or says what is wrong with it.
        let apply: Apply
        /// What an empty assignment does.
        let reset: @Sendable (inout SettingsDraft) -> Void
        /// The effective value as it would be written.
        let show: @Sendable (SettingsDraft) -> String
        /// Keys whose effective value the line sets; only `TimeoutSec=` sets others than its own.
        let sets: [String]
        /// An empty assignment is no way back to the default.
        var emptyIsValue = false
    }

    /// Only for settings that are enforced.
    init(
        _ section: String, _ key: String, _ type: SettingType, default defaultText: String, isList: Bool,
        _ documentation: String, effect: Effect
    ) {
        self.section = section
        self.key = key
        self.type = type
        self.defaultText = defaultText
        self.documentation = documentation
        self.remedy = ""
        self.status = .enforced
        self.isList = isList
        self.effect = effect
    }

    /// Only for settings that are refused.
    init(
        refused section: String, _ key: String, _ type: SettingType, _ status: Status, reason: String, remedy: String
    ) {
        self.section = section
        self.key = key
        self.type = type
        self.defaultText = ""
        self.documentation = reason
        self.remedy = remedy
        self.status = status
        self.isList = false
        self.effect = Effect(
            apply: { _, _, _ throws(ValueError) in throw ValueError(message: reason, remedy: remedy) },
            reset: { _ in }, show: { _ in "" }, sets: [])
    }
}

extension Setting {
    /// A setting with one value: the last line counts, an empty one goes back to the default.
    static func one<Value: Sendable>(
        _ section: String, _ key: String, _ type: SettingType,
        _ path: any WritableKeyPath<TaskSettings, Value> & Sendable, _ documentation: String,
        default defaultText: String? = nil, show: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (String, SettingContext) throws(ValueError) -> Value
    ) -> Setting {
        let standard = SettingsDraft().settings[keyPath: path]
        return Setting(
            section, key, type, default: defaultText ?? show(standard), isList: false, documentation,
            effect: Effect(
                apply: { draft, text, context throws(ValueError) in
                    draft.settings[keyPath: path] = try parse(text, context)
                },
                reset: { $0.settings[keyPath: path] = standard },
                show: { show($0.settings[keyPath: path]) },
                sets: [key]))
    }

    /// A setting that is a list: each line adds, an empty one empties it.
    static func list<Element: Sendable>(
        _ section: String, _ key: String, _ type: SettingType,
        _ path: any WritableKeyPath<TaskSettings, [Element]> & Sendable, _ documentation: String,
        parse: @escaping @Sendable (String, SettingContext) throws(ValueError) -> [Element]
    ) -> Setting {
        custom(
            section, key, type, isList: true, documentation,
            apply: { draft, text, context throws(ValueError) in
                draft.settings[keyPath: path] += try parse(text, context)
            },
            reset: { $0.settings[keyPath: path] = [] }, show: { _ in "" })
    }

    /// A setting whose effect is its own.
    static func custom(
        _ section: String, _ key: String, _ type: SettingType, default defaultText: String = "", isList: Bool = false,
        sets: [String]? = nil, emptyIsValue: Bool = false, _ documentation: String, apply: @escaping Effect.Apply,
        reset: @escaping @Sendable (inout SettingsDraft) -> Void, show: @escaping @Sendable (SettingsDraft) -> String
    ) -> Setting {
        Setting(
            section, key, type, default: defaultText, isList: isList, documentation,
            effect: Effect(apply: apply, reset: reset, show: show, sets: sets ?? [key], emptyIsValue: emptyIsValue))
    }
}
