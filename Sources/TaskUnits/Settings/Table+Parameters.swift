extension SettingTable {
    /// Parameters; the lines of [Parameters] are no settings: their keys are the parameters' names.
    static let parameters: [Setting] = [
        .custom(
            "Task", "AcceptParameters", .parameterNames, isList: true,
            "Optional parameters of any type, beside those of [Parameters]; `no`: no parameters, `yes`: any. "
                + "Any if nothing is declared.",
            apply: { draft, text, context throws(ValueError) in
                draft.accepted = try AcceptedParameters.adding(try context.words(text), to: draft.accepted)
            },
            reset: { $0.accepted = .unset }, show: { _ in "" })
    ]
}
