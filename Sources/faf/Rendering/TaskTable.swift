import FafAPI

/// `faf tasks`: a line per task.
enum TaskTable {
    static func lines(_ tasks: [Wire.TaskInfo], terminal: Terminal) -> [String] {
        guard !tasks.isEmpty else { return [] }
        var table = Table(
            [("TASK", .left), ("STATE", .left), ("RUNS", .right), ("FIRE", .left), ("DESCRIPTION", .left)],
            terminal: terminal)
        for task in tasks {
            let isBad = task.loadState == "bad-setting"
            let error = isBad ? task.problems.first { $0.severity == "error" } : nil
            table.add([
                .init(task.name),
                .init(task.loadState, isBad ? .red : nil),
                .init(task.activeRuns == 0 ? "" : String(task.activeRuns)),
                .init(task.mayFire ? "yes" : "no"),
                .init(error?.message ?? task.description),
            ])
        }
        return table.lines
    }
}
