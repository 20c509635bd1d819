import ArgumentParser
import FireAndForget
import Varlink

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a run has written.",
        discussion: "On a terminal, control characters are shown escaped; elsewhere lines are as they were written.")

    @Argument(help: ArgumentHelp("The run's number.", valueName: "run"), completion: .runs)
    var number: String

    @Flag(name: .shortAndLong, help: "Go on until the run is over.")
    var follow = false

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Only the last lines.", valueName: "count"))
    var lines: Int64?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let lines, lines < 0 { throw ValidationError("-n takes a number of lines, not \(lines)") }
    }

    func run() throws {
        let run = try Target.runNumber(number)
        let client = connection.client
        if output.json {
            var array: JSONArrayOutput?
            try client.readLog(run: run, follow: follow, lines: lines) { lines in
                var opened = array.take() ?? JSONArrayOutput()
                for line in lines { opened.add(.string(line)) }
                array = opened
                return .goOn
            }
            return (array ?? JSONArrayOutput()).end()
        }
        let isForPeople = Terminal.standardOutput.isTerminal
        try client.readLog(run: run, follow: follow, lines: lines) { lines in
            let shown = isForPeople ? lines.map { Escape.forTerminal($0, keepingTabs: true) } : lines
            Output.text(shown.map { $0 + "\n" }.joined())
            return .goOn
        }
    }
}
