import TaskModel

/// `ExecStart=`.
enum StartCommand {
    static func parse(
        _ text: String, into draft: inout SettingsDraft, _ context: SettingContext
    ) throws(ValueError) {
        let read = try CommandLine.read(text, specifiers: { word throws(ValueError) in try context.expand(word) })
        draft.remarks += read.warnings
        for command in read.commands { draft.commands.append(try checked(command)) }
        if let problem = read.leftOut.first { throw problem }
    }

    private static func checked(_ command: ExecCommand) throws(ValueError) -> TaskSettings.Command {
        if command.flags.contains(.ignoreFailure) {
            throw ValueError(
                message: "prefix - is not supported: a script that failed is never counted as a success",
                remedy: "remove the -; SuccessExitStatus= lists exit codes that are a success")
        }
        if !command.flags.isDisjoint(with: [.privileged, .noSetuid, .ambient]) {
            throw ValueError(
                message: "prefixes + and ! are not supported: a task's script never has more rights than User=",
                remedy: "remove the prefix")
        }
        guard command.path.utf8.first == UInt8(ascii: "/") else {
            throw ValueError(
                message: "\(quoted(command.path)) is not absolute; there is no search along PATH",
                remedy: "write the path of the script from / on")
        }
        return TaskSettings.Command(
            path: command.path, arguments: command.argv,
            expandsEnvironment: !command.flags.contains(.noEnvironmentExpansion))
    }
}
