import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List runs, newest first: all that are not over, and the latest that are.")

    @Flag(name: .shortAndLong, help: "Every run, not only the latest.")
    var all = false

    @Option(help: "Only runs of this task.", completion: .tasks)
    var task: String?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let client = connection.client
        let task = task.map(TaskName.withoutSuffix)
        let limit: Int64? = all ? -1 : nil
        if output.json {
            var array: JSONArrayOutput?
            try client.runs(task: task, limit: limit) { runs in
                // Opened by the first answer: a refusal must not leave half a value behind.
                var opened = array.take() ?? JSONArrayOutput()
                for run in runs { opened.add(run.json) }
                array = opened
                return .goOn
            }
            (array ?? JSONArrayOutput()).end()
        } else {
            let runs = try client.runs(task: task, limit: limit)
            if runs.isEmpty {
                Output.error("no runs yet: faf tasks lists what can be fired\n")
            }
            let lines = runs.isEmpty ? [] : RunTable.lines(runs, terminal: .standardOutput, now: Clock.now)
            Output.text(lines.map { $0 + "\n" }.joined())
        }
    }
}
