import TaskModel

extension ParameterDeclaration.Kind {
    /// The value as this type has it, or `nil` if it is none: the type that was given counts, and a string counts as
    /// what it spells. An `integer` is written without point and exponent, of any length.
    func accepting(_ value: ParameterValue) -> ParameterValue? {
        switch self {
        case .any: return value
        case .string: return value.kind == .string ? value : nil
        case .integer, .number, .boolean, .array, .object: break
        }
        guard let kind = JSONText.kind(of: value.text), let meant = modelKind,
            value.kind == .string || value.kind == meant
        else { return nil }
        let fits =
            switch self {
            case .integer: kind == .integer
            case .number: kind == .integer || kind == .number
            case .boolean: kind == .boolean
            case .array: kind == .array
            case .object: kind == .object
            case .string, .any: true
            }
        return fits ? ParameterValue(kind: meant, text: value.text) : nil
    }

    /// The kind that a value of this type has; `nil` for `any`.
    private var modelKind: ParameterValue.Kind? {
        switch self {
        case .string: .string
        case .integer, .number: .number
        case .boolean: .boolean
        case .array: .array
        case .object: .object
        case .any: nil
        }
    }

    var withArticle: String {
        switch self {
        case .string: "a string"
        case .integer: "an integer such as 17"
        case .number: "a number such as 2.5"
        case .boolean: "true or false"
        case .array: "a JSON array such as [1,2]"
        case .object: "a JSON object such as {\"a\":1}"
        case .any: "any value"
        }
    }
}
