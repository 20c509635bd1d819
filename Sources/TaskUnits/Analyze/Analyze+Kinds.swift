import UnitFile

extension Analyze {
    /// Throws what goes into `error`.
    static func value(
        of kind: String, _ input: AnalyzeCase, _ context: SpecifierContext, _ warnings: inout [String]
    ) throws(ValueError) -> AnalyzeValue {
        switch kind {
        case "timespan": return try timeSpan(input)
        case "size": return try size(input)
        case "boolean": return .bool(try Value.boolean(input.text()))
        case "signal": return .integer(try Value.signal(input.text()))
        case "percent": return try percent(input)
        case "words": return .strings(try Value.words(input.text()))
        case "exec": return try exec(input, context, &warnings)
        case "environment": return try environment(input, context, &warnings)
        case "expand":
            return .strings(CommandLine.expand(try input.texts("input"), environment: try variables(input)))
        case "specifier":
            return .string(try Specifiers.expand(input.text(), unit: input.unit(), context: context))
        case "unitfile": return try unitFile(input, &warnings)
        case "unitname": return .string(try unitName(input))
        case "envfile":
            return .array(try Value.environmentFile(input.bytes()).map { .strings([$0.name, $0.value]) })
        case "dropin": return try DropInCase(input, context).value(&warnings)
        default: throw ValueError(message: "an unknown kind", remedy: "use one of \(kinds.joined(separator: ", "))")
        }
    }

    private static func timeSpan(_ input: AnalyzeCase) throws(ValueError) -> AnalyzeValue {
        let unit = try input.number("default_unit_us", default: 1_000_000)
        if unit == 0 { throw input.missing("default_unit_us", "a positive number") }
        return value(
            of: try Value.timeSpan(
                input.text(), zeroIsInfinity: input.value["mode"]?.text == "zero_is_infinity",
                defaultUnitMicroseconds: unit))
    }

    private static func size(_ input: AnalyzeCase) throws(ValueError) -> AnalyzeValue {
        let base = try input.number("base", default: 1024)
        guard base == 1000 || base == 1024 else { throw input.missing("base", "1000 or 1024") }
        return .integer(try Value.size(input.text(), base: base))
    }

    private static func percent(_ input: AnalyzeCase) throws(ValueError) -> AnalyzeValue {
        guard let scale = PercentScale(rawValue: input.value["scale"]?.text ?? "percent") else {
            throw input.missing(
                "scale", "one of \(PercentScale.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return .integer(try Value.percent(input.text(), scale: scale))
    }

    private static func exec(
        _ input: AnalyzeCase, _ context: SpecifierContext, _ warnings: inout [String]
    ) throws(ValueError) -> AnalyzeValue {
        let unit = try input.unit()
        var commands: [ExecCommand] = []
        for assignment in try input.texts("input") {
            if assignment.isEmpty {
                commands = []
                continue
            }
            let reading = try CommandLine.read(assignment) { text throws(ValueError) in
                try Specifiers.expand(text, unit: unit, context: context)
            }
            commands += reading.commands
            warnings += (reading.warnings + reading.leftOut).map(describe)
        }
        return .array(commands.map(value))
    }

    private static func environment(
        _ input: AnalyzeCase, _ context: SpecifierContext, _ warnings: inout [String]
    ) throws(ValueError) -> AnalyzeValue {
        let unit = try input.unit()
        let (values, problems) = Value.environment(try input.texts("input")) { text throws(ValueError) in
            try Specifiers.expand(text, unit: unit, context: context)
        }
        warnings += problems.map(describe)
        return .strings(values)
    }

    /// `env`: a list of NAME=value, or an object.
    private static func variables(_ input: AnalyzeCase) throws(ValueError) -> [String] {
        guard let given = input.value["env"], !given.isNull else { return [] }
        guard case .object(let members) = given else { return try input.texts("env") }
        var assignments: [String] = []
        for member in members {
            guard let text = member.value.text else { throw input.missing("env", "an object of texts") }
            assignments.append("\(member.name)=\(text)")
        }
        return assignments
    }

    private static func unitFile(
        _ input: AnalyzeCase, _ warnings: inout [String]
    ) throws(ValueError) -> AnalyzeValue {
        let bytes = try input.bytes()
        do throws(SyntaxProblem) {
            let file = try UnitFile(parsing: bytes)
            warnings += file.warnings.map(describe)
            return .array(file.assignments.map { .strings([$0.section, $0.key, $0.value]) })
        } catch {
            throw ValueError(message: "\(error.position): \(error.message)", remedy: error.remedy)
        }
    }

    private static func unitName(_ input: AnalyzeCase) throws(ValueError) -> String {
        let text = try input.text()
        switch try input.text("op") {
        case "classify": return try UnitName(text).kind.rawValue
        case "escape": return UnitName.escape(text)
        case "unescape": return try UnitName.unescape(text)
        case "path_escape": return try UnitName.pathEscape(text)
        case "path_unescape": return try UnitName.pathUnescape(text)
        case "instantiate": return try UnitName(text).instantiate(input.text("instance")).text
        case "mangle": return try UnitName.mangle(text).text
        default:
            throw input.missing(
                "op", "one of classify, escape, unescape, path_escape, path_unescape, instantiate, mangle")
        }
    }
}
