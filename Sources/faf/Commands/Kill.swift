import ArgumentParser
import FafAPI
import FireAndForget
import TaskModel
import TaskUnits
import Varlink

struct Kill: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop a run, or all runs of a task.",
        discussion: """
            Without --signal the unit's stop sequence: KillSignal=, then SIGKILL after TimeoutStopSec=. With --signal just \
            that signal. Returns when the stop has begun and tells what follows; --wait waits for the end.

            A run that is stopped so is not tried again, and one that waits for its retry is cancelled. After a signal \
            alone, Retry= decides.
            """)

    enum Whom: String, ExpressibleByArgument, CaseIterable { case main, all }

    @Argument(help: "A run's number, or a task: all of its runs that are not over.", completion: .liveRunsAndTasks)
    var target: String

    @Option(name: .shortAndLong, help: "Send this signal only: TERM, SIGTERM or 15.")
    var signal: String?

    @Option(help: "With --signal: the main process or all (the default).")
    var whom: Whom?

    @Flag(help: "Wait until the runs are over.")
    var wait = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if whom != nil, signal == nil {
            throw ValidationError("--whom needs --signal: without a signal all processes are stopped as the unit says")
        }
    }

    func run() throws {
        if let signal, (try? Value.signal(signal)) == nil {
            throw Failure(
                .usage, "there is no signal \(signal)", remedy: "write a name such as TERM or a number from 1 to 64")
        }
        let client = connection.client
        let runs: [Int64]
        switch try Target(target) {
        case .run(let number): runs = try client.kill(run: number, signal: signal, whom: whom?.rawValue)
        case .task(let name): runs = try client.kill(task: name, signal: signal, whom: whom?.rawValue)
        }
        if output.json, !wait { Output.json(Wire.Kill.Reply(runs: runs)) }
        if runs.isEmpty, !output.json { Output.error("no run of \(Escape.forTerminal(target)) goes on\n") }
        guard wait else {
            guard !output.json else { return }
            for run in runs {
                if let signal {
                    Output.line("sent \(Escape.forTerminal(signal)) to run \(run)")
                } else {
                    // What it says may come too late for a run that is gone with its unit's user.
                    let shown = try? client.run(run)
                    if let shown, shown.state == RunState.cancelled.rawValue {
                        Output.line(Wait.line(shown, .standardOutput))
                        continue
                    }
                    let stop = shown?.attempts.last?.stop
                    Output.line("stopping run \(run)" + (stop.map { ": " + StopText.text($0, now: Clock.now) } ?? ""))
                }
            }
            return
        }
        var ended: [Wire.Run] = []
        if !runs.isEmpty {
            let json = output.json
            try Waiting.forEach(runs, client) { run in
                ended.append(run)
                if !json { Output.line(Wait.line(run, .standardOutput)) }
            }
        }
        if output.json { Output.json(.array(ended.map(\.json))) }
    }
}
