import FafAPI

/// `faf status TASK`: the task in a line, then its runs.
enum TaskStatus {
    static func lines(
        _ name: String, _ task: Wire.GetTask.Reply?, _ runs: [Wire.Run], terminal: Terminal, now: Int64
    ) -> [String] {
        var head = terminal.colored(Escape.forTerminal(name), .bold)
        if let info = task?.task {
            if !info.description.isEmpty { head += ": " + Escape.forTerminal(info.description) }
            head += " (\(Escape.forTerminal(info.loadState)), \(Escape.forTerminal(info.path)))"
        } else {
            head += ": there is no unit for it any more, or you may not see it"
        }
        var lines = [head]
        for problem in task?.task.problems ?? [] { lines += ProblemText.lines(problem, terminal: terminal) }
        lines.append("")
        if runs.isEmpty {
            lines.append("no runs that you may see; faf fire \(Escape.forTerminal(name)) fires it")
        } else {
            lines += RunTable.lines(runs, terminal: terminal, now: now)
        }
        return lines
    }
}
