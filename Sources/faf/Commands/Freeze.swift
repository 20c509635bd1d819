import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct Freeze: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let all processes of a run stand still.",
        discussion: """
            Returns when they do. Limits of time go on; WatchdogSec= and SilenceSec= rest until faf thaw. A run that is \
            stopped is thawed for it.
            """)

    @OptionGroup var target: RunOption
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let run = try connection.client.freeze(run: try target.run)
        if output.json { return Output.json(run) }
        Output.line("run \(run.number) is frozen")
    }
}

struct Thaw: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a frozen run go on.")

    @OptionGroup var target: RunOption
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let run = try connection.client.thaw(run: try target.run)
        if output.json { return Output.json(run) }
        Output.line("run \(run.number) goes on")
    }
}

struct RunOption: ParsableArguments {
    @Argument(help: ArgumentHelp("The run's number.", valueName: "run"), completion: .liveRuns)
    var number: String

    var run: Int64 { get throws { try Target.runNumber(number) } }
}
