import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct Wait: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wait until runs are over.",
        discussion: "Prints each run as it ends. Exits 0 if all have succeeded, else 1. Survives a restart of fafd.")

    @Argument(help: ArgumentHelp("Numbers of runs.", valueName: "run"), completion: .liveRuns)
    var numbers: [String]

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        var numbers: [Int64] = []
        for text in self.numbers {
            let number = try Target.runNumber(text)
            if !numbers.contains(number) { numbers.append(number) }
        }
        var ended: [Wire.Run] = []
        let json = output.json
        try Waiting.forEach(numbers, connection.client) { run in
            ended.append(run)
            if !json { Output.line(Self.line(run, .standardOutput)) }
        }
        if json { Output.json(.array(ended.map(\.json))) }
        if !ended.allSatisfy(\.hasSucceeded) || ended.count < numbers.count { throw ExitCode(1) }
    }

    static func line(_ run: Wire.Run, _ terminal: Terminal) -> String {
        let state = terminal.colored(run.state, RunStyle.color(ofState: run.state))
        let after = run.duration(now: run.endedAt ?? 0).map { " after " + Clock.duration($0) } ?? ""
        let why = run.hasSucceeded ? "" : run.reason.map { ": " + Escape.forTerminal($0.text) } ?? ""
        return "run \(run.number) of \(Escape.forTerminal(run.task)) \(state)\(after)\(why)"
    }
}
