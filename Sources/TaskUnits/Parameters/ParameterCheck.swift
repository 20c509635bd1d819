public import TaskModel

/// Why a fire is refused for one of its parameters. Nothing has run.
public struct ParameterRefusal: Error, Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case badName = "bad-name"
        case doubled
        case undeclared
        case missing
        case wrongType = "wrong-type"
        case nul
        case argumentTooLong = "argument-too-long"
        case allTooLong = "all-too-long"
    }

    public var kind: Kind
    /// The parameter at fault, as the caller wrote it; its value is never repeated.
    public var parameter: String
    public var message: String
    public var remedy: String
}

/// Checks what a caller passes against what the task declares, before anything runs.
public enum ParameterCheck {
    /// Linux refuses one argument of 128 KiB with its NUL (MAX_ARG_STRLEN, execve(2)).
    public static let longestArgument = 131_071

    /// Bytes that all parameters of a run may take together: half of what the kernel gives to arguments and environment
    /// under the task's stack limit (a quarter of it, at least 128 KiB, at most 6 MiB; execve(2)). The other half is
    /// for the environment, the unit's own arguments and a script's interpreter.
    public static func room(for settings: TaskSettings) -> Int {
        let stack = settings.limits.last { $0.resource == Value.Resource.stack.rawValue }?.soft ?? 8 << 20
        return Int(min(max(stack / 4, 128 << 10), 6 << 20) / 2)
    }

    /// The parameters that the script gets: those given and the defaults of those that are not, sorted by the bytes of
    /// their names.
    ///
    /// A string that spells a number, a boolean, an array or an object is taken as one where such a type is declared:
    /// a command line has only strings. The text stays as it was written.
    public static func check(
        given: [Parameter], policy: ParameterPolicy, room: Int = 1 << 20
    ) throws(ParameterRefusal) -> [Parameter] {
        var accepted: [String: Parameter] = [:]
        for parameter in given {
            let name = parameter.name
            guard ParameterName.isValid(name) else {
                throw ParameterRefusal(
                    kind: .badName, parameter: name,
                    message: "\(quoted(name).escapingControlCharacters()) is no parameter name",
                    remedy: "use \(ParameterName.rule)")
            }
            guard accepted[name] == nil else {
                throw ParameterRefusal(
                    kind: .doubled, parameter: name, message: "parameter \(name) is given twice",
                    remedy: "give it once; several values go into one array")
            }
            accepted[name] = try declared(parameter, policy)
        }
        if case .declared(let declarations) = policy {
            for declaration in declarations where accepted[declaration.name] == nil {
                if let value = declaration.defaultValue {
                    accepted[declaration.name] = Parameter(name: declaration.name, value: value)
                } else if declaration.isRequired {
                    throw ParameterRefusal(
                        kind: .missing, parameter: declaration.name,
                        message: "parameter \(declaration.name) is required and missing",
                        remedy: "pass \(declaration.name), \(declaration.kind.withArticle)")
                }
            }
        }
        let sorted = accepted.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        try checkSizes(sorted, room: room)
        return sorted
    }

    private static func declared(_ given: Parameter, _ policy: ParameterPolicy) throws(ParameterRefusal) -> Parameter {
        guard case .declared(let declarations) = policy else { return given }
        guard let declaration = declarations.first(where: { $0.name == given.name }) else {
            let near = NearNames.of(given.name, in: declarations.map(\.name))
            let names = declarations.map(\.name).sorted()
            let remedy =
                if let best = near.first {
                    "did you mean \(best)?"
                } else if names.isEmpty {
                    "leave it out: the task takes no parameters"
                } else {
                    "the task takes: \(names.joined(separator: ", "))"
                }
            throw ParameterRefusal(
                kind: .undeclared, parameter: given.name,
                message: "the task declares no parameter \(given.name)", remedy: remedy)
        }
        guard let value = declaration.kind.accepting(given.value) else {
            throw ParameterRefusal(
                kind: .wrongType, parameter: given.name,
                message: "parameter \(given.name) is declared as \(declaration.kind.rawValue)",
                remedy: "pass \(declaration.kind.withArticle)")
        }
        return Parameter(name: given.name, value: value)
    }

    private static func checkSizes(_ parameters: [Parameter], room: Int) throws(ParameterRefusal) {
        var total = 0
        for parameter in parameters {
            let isJSON = parameter.value.kind == .array || parameter.value.kind == .object
            if parameter.value.text.utf8.contains(0) || isJSON && JSONText.holdsNUL(parameter.value.text) {
                throw ParameterRefusal(
                    kind: .nul, parameter: parameter.name, message: "parameter \(parameter.name) holds a NUL",
                    remedy: "an argument of a program ends at the first NUL: pass the data in a file")
            }
            let length = parameter.argument.utf8.count
            if length > longestArgument {
                throw ParameterRefusal(
                    kind: .argumentTooLong, parameter: parameter.name,
                    message: "--\(parameter.name)=… has \(length) bytes, an argument has at most \(longestArgument)",
                    remedy: "pass the data in a file and its path as the parameter")
            }
            // The NUL, and the pointer in argv that counts as well.
            total += length + 1 + 8
            if total > room {
                throw ParameterRefusal(
                    kind: .allTooLong, parameter: parameter.name,
                    message: "with parameter \(parameter.name) all together exceed \(room) bytes",
                    remedy: "pass the data in a file and its path as a parameter")
            }
        }
    }
}
