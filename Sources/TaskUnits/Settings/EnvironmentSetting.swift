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
            if isReserved(name, &draft) { continue }
            if let place = draft.settings.environment.firstIndex(where: { Self.name(of: $0) == name }) {
                draft.settings.environment[place] = assignment
            } else {
                draft.settings.environment.append(assignment)
            }
        }
    }

    static func pass(_ text: String, to draft: inout SettingsDraft, _ context: SettingContext) throws(ValueError) {
        for name in try context.words(text) {
            guard Value.isEnvironmentName(name) else {
                throw ValueError(
                    message: "\(quoted(name)) is no name of a variable",
                    remedy: "use letters, digits and _, and no digit first")
            }
            if !isReserved(name, &draft) { draft.settings.passEnvironment.append(name) }
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

    /// A variable that faf sets for each attempt is not taken from a unit: what a task believes about itself is true.
    private static func isReserved(_ name: String, _ draft: inout SettingsDraft) -> Bool {
        guard ProcessEnvironment.reserved.contains(name) else { return false }
        draft.remarks.append(
            ValueError(
                message: "\(name) is set by faf for each attempt, this value is not used",
                remedy: "remove it, or use another name"))
        return true
    }
}
