public import TaskModel

/// The arguments that an attempt's script starts with.
public enum ProcessArguments {
    /// argv of the unit's command with `$NAME` and `${NAME}` replaced from `environment` (unless the command has the
    /// prefix `:`), then one `--name=value` for each parameter of the run. Parameters are never expanded.
    ///
    /// - Parameter environment: `NAME=value` each, as `ProcessEnvironment.build` makes it.
    public static func build(run: Run, environment: [String]) -> [String] {
        let command = run.settings.command
        var arguments = command.arguments
        if command.expandsEnvironment { arguments = CommandLine.expand(arguments, environment: environment) }
        // A program without argv[0] takes its first argument for its name (CVE-2021-4034).
        if arguments.isEmpty { arguments = [command.path] }
        return arguments + run.parameters.map(\.argument)
    }
}
