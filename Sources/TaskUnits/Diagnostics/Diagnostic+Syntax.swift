import UnitFile

extension Diagnostic {
    init(_ found: SourcedProblem) {
        self.init(
            found.problem.isFatal ? .error : .warning, path: found.path, line: found.problem.position.line,
            column: found.problem.position.column, message: found.problem.message, remedy: found.problem.remedy)
    }
}
