import ArgumentParser
import CFire
import FafAPI
import FireAndForget
import TaskUnits

/// Help and completion only: `Main` reads the arguments of `fire` by hand and calls `run(_:)`.
struct Fire: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fire a task; prints the run's number.",
        usage: """
            faf fire TASK [--name=value ...] [--wait] [--status-to-stdout] [--json]
            faf fire TASK [options] -- [--name=value ...]
            """,
        discussion: """
            --name=value passes the string value; the task's unit decides whether text such as 5 or true is taken as a \
            number or a boolean. --name:=JSON passes a JSON value (--count:=5, --tags:='["a","b"]'). faf's own options \
            may stand anywhere; after -- everything is a parameter.

            The run is on disk when the number appears. With --wait the exit code is the script's own, 128 + signal if \
            one ended it, and 70 if there is none (lost, never started).
            """)

    @Argument(
        help: ArgumentHelp("NAME, or NAME@INSTANCE of a template.", valueName: "task"), completion: .fireableTasks)
    var task: String

    @Argument(
        parsing: .allUnrecognized, help: ArgumentHelp("The task's parameters.", valueName: "--name=value"))
    var parameters: [String] = []

    @Flag(help: "Wait until the run is over and exit with the script's status.")
    var wait = false

    @Flag(help: "Print the run's status lines instead of its number, as they change; waits.")
    var statusToStdout = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    static func run(_ arguments: [String]) throws {
        let arguments = try FireArguments(verb: "fire", arguments)
        if arguments.help {
            Output.line(Faf.helpMessage(for: Fire.self))
            return
        }
        guard let task = arguments.task else {
            throw Failure(.usage, "there is no task to fire", remedy: "write faf fire TASK; faf tasks lists them")
        }
        let client = Client(socketPath: SocketLocation.find(explicit: arguments.socket, user: arguments.user))
        // Sent already by the constructor of CFire, unless this command line is not a plain one.
        let sent = faf_fire_connection()
        let run =
            sent < 0
            ? try client.fire(task, parameters: arguments.parameters)
            : try client.fire(task, parameters: arguments.parameters, sentOn: sent)
        let waits = arguments.waits || arguments.statusToStandardOutput
        if arguments.json, !waits { Output.json(run) }
        if !arguments.json, !arguments.statusToStandardOutput { Output.line(String(run.number)) }
        guard waits else { return }

        var follower = Follower(
            terminal: .standardError, printsStatus: arguments.statusToStandardOutput && !arguments.json)
        let ended = try Waiting.untilOver(run.number, client) { follower.show($0) }
        follower.clear()
        if arguments.json { Output.json(ended) }
        if !ended.hasSucceeded {
            Output.error(Failure(.other, "run \(ended.number) \(ended.state): \(ended.reason?.text ?? "")").text)
        }
        throw ExitCode(ExitStatus.of(ended))
    }

    // Never called: `Main` takes this verb.
    func run() throws { try Self.run([task] + parameters) }
}

/// The exit code that stands for a run's end, as a shell would have it.
enum ExitStatus {
    static func of(_ run: Wire.Run) -> Int32 {
        let last = run.attempts.last
        if let signal = last?.signal, let number = try? Value.signal(signal) { return 128 + Int32(number) }
        if let status = last?.exitStatus, status != 0 || run.hasSucceeded { return Int32(truncatingIfNeeded: status) }
        // Never 0 for what did not succeed: exit 0 before READY=1, lost, never started.
        return run.hasSucceeded ? 0 : Failure.Code.other.rawValue
    }
}

/// Shows a run while somebody waits for it.
struct Follower {
    private let terminal: Terminal
    /// Status lines to standard output instead of one changing line for whoever looks.
    private let printsStatus: Bool
    private var lastStatus: String?
    private var hasLine = false

    init(terminal: Terminal, printsStatus: Bool) {
        self.terminal = terminal
        self.printsStatus = printsStatus
    }

    mutating func show(_ run: Wire.Run) {
        if printsStatus {
            if let status = run.status, status != lastStatus {
                let isForPeople = Terminal.standardOutput.isTerminal
                Output.line(isForPeople ? Escape.forTerminal(status) : status)
            }
            lastStatus = run.status
        } else if terminal.isTerminal, let columns = terminal.columns {
            let parts = [run.state, run.progressText(terminal), Escape.forTerminal(run.remark)]
            let text = parts.filter { !$0.isEmpty }.joined(separator: "  ")
            Output.error("\r\u{1b}[K" + Columns.shortened(text, to: columns - 1))
            hasLine = true
        }
    }

    mutating func clear() {
        if hasLine { Output.error("\r\u{1b}[K") }
        hasLine = false
    }
}
