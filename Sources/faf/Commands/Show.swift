import ArgumentParser
import FireAndForget

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show everything about a run: parameters, attempts, times, usage.")

    @Argument(help: ArgumentHelp("The run's number.", valueName: "run"), completion: .runs)
    var number: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let run = try connection.client.run(try Target.runNumber(number))
        if output.json { return Output.json(run) }
        let details = RunDetails(run: run, terminal: .standardOutput, now: Clock.now)
        Output.text(details.all.map { $0 + "\n" }.joined())
    }
}
