import FafAPI

/// A problem of a unit file: `PATH:LINE:COLUMN: error: …` as compilers write it, so that editors find the place.
enum ProblemText {
    static func lines(_ problem: Wire.Problem, terminal: Terminal) -> [String] {
        var place = Escape.forTerminal(problem.path)
        if problem.line > 0 { place += ":\(problem.line)" }
        if problem.line > 0, problem.column > 0 { place += ":\(problem.column)" }
        let severity = terminal.colored(
            Escape.forTerminal(problem.severity), problem.severity == "error" ? .red : .yellow)
        let key = problem.key.isEmpty ? "" : "\(Escape.forTerminal(problem.key))=: "
        var lines = ["\(place): \(severity): \(key)\(Escape.forTerminal(problem.message))"]
        if !problem.remedy.isEmpty { lines.append("    " + Escape.forTerminal(problem.remedy)) }
        return lines
    }
}
