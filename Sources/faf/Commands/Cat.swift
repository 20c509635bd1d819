import ArgumentParser
import FafAPI
import FireAndForget

struct Cat: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a task's unit with its drop-ins, and the value of each setting that holds.")

    @Argument(help: "NAME, or NAME@INSTANCE of a template.", completion: .tasks)
    var task: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let reply = try connection.client.task(TaskName.withoutSuffix(task))
        if output.json { return Output.json(reply) }
        Output.text(TaskText.lines(reply, terminal: .standardOutput).map { $0 + "\n" }.joined())
    }
}
