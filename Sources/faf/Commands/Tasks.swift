import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct Tasks: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the tasks that there are units for.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let tasks = try connection.client.tasks()
        if output.json { return Output.json(.array(tasks.map(\.json))) }
        if tasks.isEmpty {
            Output.error("there are no tasks: put a NAME.task into a unit directory, then faf reload\n")
        }
        Output.text(TaskTable.lines(tasks, terminal: .standardOutput).map { $0 + "\n" }.joined())
    }
}
