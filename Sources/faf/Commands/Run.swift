import ArgumentParser
import FireAndForget
import Glibc

/// Help and completion only: `Main` reads the arguments of `run` by hand and calls `run(_:)`.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a task in this terminal, with your own rights; no run is recorded.",
        usage: """
            faf run --foreground TASK [--name=value ...]
            faf run --foreground TASK [options] -- [--name=value ...]
            """,
        discussion: """
            For trying a task out: the same unit, parameters, script check and environment as a fire, but the script \
            runs in this terminal and as you, whatever User= says; it has no cgroup, no time limits and no retries, and \
            what it leaves running stays. What it tells with sd_notify is shown on standard error. faf exits with the \
            script's status, 128 + signal if one ended it.

            The unit is the one that fafd has loaded; without fafd it is read from the unit directories. A TASK with a \
            slash is the path of a unit file (./mine.task).
            """)

    @Argument(
        help: ArgumentHelp("NAME, NAME@INSTANCE, or the path of a unit file.", valueName: "task"),
        completion: .fireableTasks)
    var task: String

    @Argument(parsing: .allUnrecognized, help: ArgumentHelp("The task's parameters.", valueName: "--name=value"))
    var parameters: [String] = []

    @Flag(help: "In this terminal; this is the only way so far.")
    var foreground = false

    @OptionGroup var connection: ConnectionOptions

    static func run(_ arguments: [String]) throws {
        let arguments = try FireArguments(verb: "run", arguments)
        if arguments.help {
            Output.line(Faf.helpMessage(for: Run.self))
            return
        }
        guard let task = arguments.task else {
            throw Failure(.usage, "there is no task to run", remedy: "write faf run --foreground TASK")
        }
        guard arguments.foreground else {
            throw Failure(
                .usage, "faf run needs --foreground: it runs the task in this terminal and records nothing",
                remedy: "write faf run --foreground \(task), or faf fire \(task) for a run of fafd")
        }
        let isUserMode = arguments.user || Environment["FAF_USER"] == "1"
        let client = Client(
            socketPath: SocketLocation.find(explicit: arguments.socket, user: isUserMode), timeout: .seconds(5))
        let unit = try LocalTask.find(task, client, isUserMode: isUserMode)
        let attempt = try ForegroundAttempt(
            unit, arguments.parameters, isUserMode: isUserMode, socketPath: client.socketPath)
        throw ExitCode(try attempt.execute())
    }

    // Never called: `Main` takes this verb.
    func run() throws { try Self.run(["--foreground", task] + parameters) }
}
