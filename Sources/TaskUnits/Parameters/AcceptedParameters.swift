import TaskModel

/// `AcceptParameters=`.
enum AcceptedParameters {
    static func adding(_ words: [String], to earlier: SettingsDraft.Accepted) throws(ValueError)
        -> SettingsDraft.Accepted
    {
        if words == ["no"] { return .none }
        if words == ["yes"] { return .any }
        if let word = words.first(where: { $0 == "yes" || $0 == "no" }) {
            throw ValueError(
                message: "\(word) stands among names", remedy: "write \(word) alone, or only names of parameters")
        }
        var names: [String] = []
        if case .names(let before) = earlier { names = before }
        for word in words {
            guard ParameterName.isValid(word) else {
                throw ValueError(
                    message: "\(quoted(word)) is no parameter name", remedy: "use \(ParameterName.rule)")
            }
            if names.contains(word) {
                throw ValueError(message: "parameter \(word) is named twice", remedy: "name it once")
            }
            names.append(word)
        }
        return .names(names)
    }
}
