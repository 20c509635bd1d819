import FafAPI

/// `faf cat TASK`: the files as they are, then what holds in the end.
enum TaskText {
    static func lines(_ reply: Wire.GetTask.Reply, terminal: Terminal) -> [String] {
        var lines: [String] = []
        for source in reply.sources {
            lines.append(terminal.colored("# " + Escape.forTerminal(source.path), .cyan))
            lines += source.text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { Escape.forTerminal(String($0), keepingTabs: true) }
            if lines.last?.isEmpty == false { lines.append("") }
        }
        for problem in reply.task.problems { lines += ProblemText.lines(problem, terminal: terminal) }
        if !reply.task.problems.isEmpty { lines.append("") }
        guard !reply.settings.isEmpty else { return lines }

        lines.append(terminal.colored("# What holds, with drop-ins and defaults", .cyan))
        var section = ""
        let width = reply.settings.reduce(0) { max($0, Columns.width(of: assignment($1))) }
        for setting in reply.settings {
            if setting.section != section {
                section = setting.section
                lines.append("[\(Escape.forTerminal(section))]")
            }
            let source = terminal.colored("# " + Escape.forTerminal(setting.source), .dim)
            lines.append(Columns.padded(assignment(setting), to: min(width, 60)) + "  " + source)
        }
        return lines
    }

    private static func assignment(_ setting: Wire.Setting) -> String {
        Escape.forTerminal("\(setting.key)=\(setting.value)")
    }
}
