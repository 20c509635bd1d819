import TaskModel

extension ParameterDeclaration {
    /// A line of [Parameters]: `NAME=TYPE [required] [default=VALUE]`, quoted as systemd's words are
    /// (`label=string "default=a b"`).
    static func parse(
        name: String, value: String, _ context: SettingContext
    ) throws(ValueError) -> ParameterDeclaration {
        guard ParameterName.isValid(name) else {
            throw ValueError(message: "\(quoted(name)) is no parameter name", remedy: "use \(ParameterName.rule)")
        }
        let words = try context.words(value)
        let types = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        guard let type = words.first, let kind = Kind(rawValue: type) else {
            throw ValueError(message: "\(quoted(words.first ?? "")) is no type", remedy: "write one of \(types)")
        }
        var declaration = ParameterDeclaration(name: name, kind: kind)
        for word in words.dropFirst() {
            if word == "required" {
                if declaration.isRequired {
                    throw ValueError(message: "required stands twice", remedy: "write it once")
                }
                declaration.isRequired = true
            } else if let text = word.dropping(prefix: "default=") {
                if declaration.defaultValue != nil {
                    throw ValueError(message: "there are two defaults", remedy: "write one")
                }
                declaration.defaultValue = try standard(text, declaration)
            } else {
                throw ValueError(
                    message: "\(quoted(word)) is not understood",
                    remedy: "write TYPE [required] [default=VALUE]; with blanks in the value, \"default=a b\"")
            }
        }
        if declaration.isRequired, declaration.defaultValue != nil {
            throw ValueError(
                message: "a required parameter has no use for a default", remedy: "remove required or the default")
        }
        return declaration
    }

    private static func standard(
        _ text: String, _ declaration: ParameterDeclaration
    ) throws(ValueError) -> ParameterValue {
        guard let value = declaration.kind.accepting(ParameterValue(kind: .string, text: text)) else {
            throw ValueError(
                message: "the default \(quoted(text)) is not \(declaration.kind.withArticle)",
                remedy: "write a default of the declared type; within quotes, \\\" stands for a quotation mark")
        }
        let argument = Parameter(name: declaration.name, value: value).argument
        if text.utf8.contains(0) || argument.utf8.count > ParameterCheck.longestArgument {
            throw ValueError(
                message: "the default cannot be an argument: it is too long or holds a NUL",
                remedy: "use at most \(ParameterCheck.longestArgument) bytes")
        }
        return value
    }

    /// As it would be written.
    var text: String {
        var words = [kind.rawValue]
        if isRequired { words.append("required") }
        if let value = defaultValue {
            let word = "default=" + value.text
            let isPlain = word.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"\"'\\".utf8.contains($0) }
            let escaped = word.unicodeScalars.reduce(into: "") { text, scalar in
                if scalar == "\"" || scalar == "\\" { text += "\\" }
                text.unicodeScalars.append(scalar)
            }
            words.append(isPlain ? word : "\"\(escaped.escapingControlCharacters())\"")
        }
        return words.joined(separator: " ")
    }
}
