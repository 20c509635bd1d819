import TaskModel
import UnitFile

/// `faf analyze`: shows how faf reads a value, by the very functions that load units.
///
/// What comes out is systemd's value: what a loaded unit would be refused for, but systemd only warns about, is a
/// warning here.
public enum Analyze {
    public static let kinds = [
        "timespan", "size", "boolean", "signal", "percent", "words", "exec", "environment", "expand", "specifier",
        "unitfile", "unitname", "envfile", "dropin",
    ]

    /// `{"value": …}`, `{"error": "why"}`, or `{"unsupported": true}` for a kind that is not in `kinds`.
    ///
    /// `caseValue` is the object under `case`.
    public static func evaluate(
        kind: String, caseValue: AnalyzeValue, context: SpecifierContext = SpecifierContext()
    ) -> AnalyzeValue {
        explain(kind: kind, caseValue: caseValue, context: context).answer
    }

    /// The same answer, and what systemd would warn about.
    public static func explain(
        kind: String, caseValue: AnalyzeValue, context: SpecifierContext = SpecifierContext()
    ) -> (answer: AnalyzeValue, warnings: [String]) {
        guard kinds.contains(kind) else { return (.object([.init("unsupported", .bool(true))]), []) }
        var warnings: [String] = []
        do throws(ValueError) {
            let value = try value(of: kind, AnalyzeCase(value: caseValue), context, &warnings)
            return (.object([.init("value", value)]), warnings)
        } catch {
            return (.object([.init("error", .string(describe(error)))]), warnings)
        }
    }

    static func describe(_ error: ValueError) -> String {
        let place = error.offset.map { " at byte \($0)" } ?? ""
        return "\(error.message)\(place); \(error.remedy)"
    }

    static func describe(_ problem: SyntaxProblem) -> String {
        "\(problem.position): \(problem.message); \(problem.remedy)"
    }

    static func value(of span: TimeSpan) -> AnalyzeValue {
        switch span {
        case .microseconds(let time): .integer(time)
        case .infinity: .string("infinity")
        }
    }

    static func value(of command: ExecCommand) -> AnalyzeValue {
        .object([
            .init("path", .string(command.path)),
            .init("argv", .strings(command.argv)),
            .init("flags", .strings(ExecCommand.Flag.allCases.filter(command.flags.contains).map(\.rawValue))),
        ])
    }
}
