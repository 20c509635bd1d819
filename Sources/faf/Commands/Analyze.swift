import ArgumentParser
import TaskHost
import TaskModel
import TaskUnits
import Varlink

struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Show how faf reads a value of a unit file.",
        discussion: """
            Kinds: \(AnalyzeLine.kinds.joined(separator: ", ")).

            For exec, environment and expand all VALUEs are one list; otherwise each is read alone. With --json-lines \
            questions come from standard input, one JSON object in each line ({"kind": "timespan", "case": {"input": \
            "5min"}}), and answers go out in the same order: {"value": ...}, {"error": "why"} or {"unsupported": true}.
            """)

    @Argument(help: "What the values are.", completion: .list(AnalyzeLine.kinds))
    var kind: String?

    @Argument(help: "The values, as a unit file has them; after -- those that begin with a dash.")
    var values: [String] = []

    @Option(
        help: ArgumentHelp("More of the case: unit, op, instance, scale, mode, base, env, ...", valueName: "key=value"))
    var with: [String] = []

    @Flag(help: "Each VALUE is a file to be read.")
    var file = false

    @Flag(help: "Read questions from standard input.")
    var jsonLines = false

    @Flag(help: "Specifiers are those of your own fafd (fafd --user).")
    var user = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if jsonLines { return }
        guard kind != nil else {
            throw ValidationError("there is no KIND: one of \(AnalyzeLine.kinds.joined(separator: ", "))")
        }
        if values.isEmpty { throw ValidationError("there is no VALUE") }
    }

    func run() throws {
        let line = AnalyzeLine(context: LocalContext.make(isUserMode: user).context(user: nil))
        guard !jsonLines, let kind else {
            var input = LineInput()
            while let text = input.next() { Output.json(line.answer(to: text)) }
            return
        }
        guard AnalyzeLine.kinds.contains(kind) else {
            throw Failure(
                .usage, "there is no kind \(kind)", remedy: "use one of \(AnalyzeLine.kinds.joined(separator: ", "))")
        }
        var failed = false
        for one in try cases(kind) {
            let (answer, warnings) = line.answer(kind: kind, case: one.value)
            if answer.objectValue?["error"] != nil { failed = true }
            if output.json { Output.json(answer) } else { show(one.label, answer, warnings) }
        }
        if failed { throw ExitCode(Failure.Code.data.rawValue) }
    }

    private func cases(_ kind: String) throws(Failure) -> [(label: String, value: JSON)] {
        var rest = JSONObject()
        for pair in with {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw Failure(.usage, "\(pair) is no key=value", remedy: "write --with unit=a.task")
            }
            // Numbers, lists and objects as JSON; anything else is text.
            rest[parts[0]] = (try? JSON(parsing: parts[1])) ?? .string(parts[1])
        }
        var texts: [String] = []
        for value in values {
            guard file else {
                texts.append(value)
                continue
            }
            guard let text = SmallFile.text(value) else {
                throw Failure(.notFound, "cannot read \(value)", remedy: "check the path")
            }
            texts.append(text)
        }
        if ["exec", "environment", "expand"].contains(kind) {
            rest["input"] = .array(texts.map { .string($0) })
            return [(values.joined(separator: " "), .object(rest))]
        }
        return zip(values, texts).map { label, text in
            var one = rest
            one["input"] = .string(text)
            return (label, .object(one))
        }
    }

    private func show(_ label: String, _ answer: JSON, _ warnings: [String]) {
        let terminal = Terminal.standardOutput
        let object = answer.objectValue ?? JSONObject()
        Output.line(terminal.colored("   input: ", .dim) + Escape.forTerminal(label))
        if let error = object["error"]?.stringValue {
            Output.line(terminal.colored("   error: ", .red) + Escape.forTerminal(error))
        } else if let value = object["value"] {
            Output.line(terminal.colored("   value: ", .dim) + Escape.inJSON(value.text) + meaning(value))
        }
        for warning in warnings {
            Output.line(terminal.colored(" warning: ", .yellow) + Escape.forTerminal(warning))
        }
    }

    /// What a bare number stands for.
    private func meaning(_ value: JSON) -> String {
        guard let number = value.integerValue else { return "" }
        switch kind {
        case "timespan": return " µs (\(Clock.exact(number)))"
        case "size": return " bytes (\(ByteSize.text(UInt64(clamping: number))))"
        case "signal": return UInt8(exactly: number).map { " (\(Value.signalName($0)))" } ?? ""
        default: return ""
        }
    }
}
