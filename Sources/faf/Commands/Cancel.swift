import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct Cancel: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End a run that waits for its retry.",
        discussion: "Returns when that is on disk. A run that has begun is stopped by faf kill.")

    @OptionGroup var target: RunOption
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let run = try connection.client.cancel(run: try target.run)
        if output.json { return Output.json(run) }
        Output.line(Wait.line(run, .standardOutput))
    }
}
