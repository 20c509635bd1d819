import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct Retry: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a run another attempt now.",
        discussion: """
            One that waits for its retry does not wait any longer; one that is over runs again, with the parameters and \
            settings that it was fired with. Its retries are counted anew. Returns when the attempt is on disk and runs.
            """)

    @Argument(help: ArgumentHelp("The run's number.", valueName: "run"), completion: .runs)
    var number: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let run = try connection.client.retry(run: try Target.runNumber(number))
        if output.json { return Output.json(run) }
        Output.line("run \(run.number) of \(Escape.forTerminal(run.task)): attempt \(run.attempts.last?.number ?? 1)")
    }
}
