import TaskModel

extension SettingsDraft {
    /// `AcceptParameters=` and [Parameters] together.
    func parameterPolicy() throws(ValueError) -> ParameterPolicy {
        let declarations = declared.map(\.declaration)
        switch accepted {
        case .unset: return declarations.isEmpty ? .any : .declared(declarations)
        case .none: return .declared(declarations)
        case .any:
            guard declarations.isEmpty else {
                throw ValueError(
                    message: "yes takes any parameter, and [Parameters] declares some",
                    remedy: "remove the line, or [Parameters]")
            }
            return .any
        case .names(let names):
            if let name = names.first(where: { name in declarations.contains { $0.name == name } }) {
                throw ValueError(
                    message: "parameter \(name) is declared in [Parameters] as well", remedy: "remove it here")
            }
            return .declared(declarations + names.map { ParameterDeclaration(name: $0, kind: .any) })
        }
    }
}
