import ArgumentParser
import FafAPI
import FireAndForget

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the unit files read again.",
        discussion: """
            Runs that go on keep what they were fired with. Exits 65 if a unit cannot be used; the others are loaded.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let reply = try connection.client.reload()
        let isBad = reply.problems.contains { $0.severity == "error" }
        if output.json {
            Output.json(reply)
        } else {
            let tasks = reply.tasks == 1 ? "1 task" : "\(reply.tasks) tasks"
            let problems = reply.problems.count == 1 ? "1 problem" : "\(reply.problems.count) problems"
            Output.line("\(tasks) loaded" + (reply.problems.isEmpty ? "" : ", \(problems):"))
            for problem in reply.problems {
                for line in ProblemText.lines(problem, terminal: .standardOutput) { Output.line(line) }
            }
        }
        if isBad { throw ExitCode(Failure.Code.data.rawValue) }
    }
}
