import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a run, or the runs of a task, have written.",
        discussion: """
            All attempts of a run, and all runs of a task that you may see. On a terminal, control characters are shown \
            escaped; elsewhere lines are as they were written. With --follow it goes on over a restart of fafd.
            """)

    @Argument(help: "A run's number or a task.", completion: .runsAndTasks)
    var target: String

    @Flag(name: .shortAndLong, help: "Go on until the run is over; with a task, without end.")
    var follow = false

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Only the last lines.", valueName: "count"))
    var lines: Int64?

    @Option(
        name: [.customShort("S"), .long],
        help: ArgumentHelp(
            "Nothing older, as journalctl takes it: '2 hours ago', today, '2026-11-21 10:00'.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only this attempt of the run.", valueName: "number"))
    var attempt: Int64?

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("How lines are shown, in journalctl's words.", valueName: "format"))
    var format = LogFormat.cat

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let lines, lines < 0 { throw ValidationError("-n takes a number of lines, not \(lines)") }
        if output.json, format != .cat { throw ValidationError("--json and --output exclude each other") }
        if attempt != nil, case .task? = try? Target(target) {
            throw ValidationError("--attempt needs a run: each run of \(target) has attempts of its own")
        }
    }

    func run() throws {
        var request = Wire.ReadLog.Request(attempt: attempt, follow: follow ? true : nil, lines: lines)
        switch try Target(target) {
        case .run(let number): request.run = number
        case .task(let name): request.task = name
        }
        if let since { request.since = try PointInTime.parse(since) }
        if format != .cat { request.details = true }
        if output.json {
            var array: JSONArrayOutput?
            try Waiting.readLog(request, connection.client) { reply in
                var opened = array.take() ?? JSONArrayOutput()
                for line in reply.lines { opened.add(.string(line)) }
                array = opened
                return .goOn
            }
            return (array ?? JSONArrayOutput()).end()
        }
        let isForPeople = Terminal.standardOutput.isTerminal
        var failure: Failure?
        try Waiting.readLog(request, connection.client) { reply in
            var lines = reply.lines
            do throws(Failure) {
                for entry in reply.entries { lines.append(try format.line(entry)) }
            } catch {
                failure = failure ?? error
            }
            if isForPeople { lines = lines.map { Escape.forTerminal($0, keepingTabs: true) } }
            Output.text(lines.map { $0 + "\n" }.joined())
            return failure == nil ? .goOn : .stop
        }
        if let failure { throw failure }
    }
}
