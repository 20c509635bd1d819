import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say why a run waits or has ended so, who or what stopped it, and what comes next.")

    @Argument(help: ArgumentHelp("The run's number.", valueName: "run"), completion: .runs)
    var number: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let explanation = Explanation(try connection.client.run(try Target.runNumber(number)), now: Clock.now)
        if output.json { return Output.json(explanation.json) }
        Output.text(explanation.lines(.standardOutput).map { $0 + "\n" }.joined())
    }
}

extension Explanation {
    var json: JSON {
        .object([
            "number": .integer(run.number),
            "task": .string(run.task),
            "state": .string(run.state),
            "reason": run.reason?.json,
            "sentences": .array(
                sentences.map { .object(["about": .string($0.topic.rawValue), "text": .string($0.text)]) }),
        ])
    }
}
