import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how a run, a task's runs, or everything is doing.")

    @Argument(help: "A run's number or a task; everything if missing.", completion: .runsAndTasks)
    var target: String?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let client = connection.client
        guard let target else { return try Overview.show(client, json: output.json) }
        switch try Target(target) {
        case .run(let number):
            let run = try client.run(number)
            if output.json { return Output.json(run) }
            let details = RunDetails(run: run, terminal: .standardOutput, now: Clock.now)
            for line in details.summary { Output.line(line) }
        case .task(let name):
            try show(task: name, client)
        }
    }

    private func show(task name: String, _ client: Client) throws {
        let runs = try client.runs(task: name)
        var task: Wire.GetTask.Reply?
        do {
            task = try client.task(name)
        } catch {
            // A unit that was deleted leaves its runs behind: they are shown all the same.
            let isGone = error.code == .noSuchTask || error.code == .permissionDenied
            guard isGone, !runs.isEmpty else { throw error }
        }
        if output.json { return Output.json(.array(runs.map(\.json))) }
        for line in TaskStatus.lines(name, task, runs, terminal: .standardOutput, now: Clock.now) {
            Output.line(line)
        }
    }
}
