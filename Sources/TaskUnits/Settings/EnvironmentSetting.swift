import TaskModel

/// `Environment=`, `EnvironmentFile=`, `PassEnvironment=`.
enum EnvironmentSetting {
    static func add(_ text: String, to draft: inout SettingsDraft, _ context: SettingContext) throws(ValueError) {
        let read = Value.environment([text]) { word throws(ValueError) in try context.expand(word) }
        if let problem = read.problems.first {
            draft.furtherProblems += read.problems.dropFirst()
            throw problem
        }
        for assignment in read.values {
            let name = Self.name(of: assignment)
            try checkReserved(name)
            if let place = draft.settings.environment.firstIndex(where: { Self.name(of: $0) == name }) {
                draft.settings.environment[place] = assignment
            } else {
                draft.settings.environment.append(assignment)
            }
        }
    }

    private static func name(of assignment: String) -> String {
        String(decoding: assignment.utf8.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }

    static func file(_ text: String, _ context: SettingContext) throws(ValueError) -> TaskSettings.EnvironmentFile {
        let text = try context.expand(text)
        let rest = text.dropping(prefix: "-")
        let path = try UnitPath.absolute(rest ?? text)
        if path.utf8.contains(where: { "*?[".utf8.contains($0) }) {
            throw ValueError(
                message: "patterns in file names are not supported yet",
                remedy: "write one EnvironmentFile= line for each file")
        }
        return TaskSettings.EnvironmentFile(path: path, isOptional: rest != nil)
    }

    static func checkName(_ name: String) throws(ValueError) {
        guard Value.isEnvironmentName(name) else {
            throw ValueError(
                message: "\(quoted(name)) is no name of a variable",
                remedy: "use letters, digits and _, and no digit first")
        }
        try checkReserved(name)
    }

    private static func checkReserved(_ name: String) throws(ValueError) {
        if ProcessEnvironment.reserved.contains(name) {
            throw ValueError(
                message: "\(name) is set by faf for each attempt", remedy: "remove it, or use another name")
        }
    }
}
