/// What does not fit an interface's description.
public struct ParameterProblem: Error, Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case unknown, missing
        /// The value has another type than this.
        case notA(String)
    }

    /// The field at fault; fields of fields are joined by dots.
    public var parameter: String
    public var kind: Kind
}

extension InterfaceDescription {
    /// Compares the parameters of a call with the description of `method`; `nil` if they fit, or there is no such method.
    public func problem(inCallOf method: String, _ parameters: JSONObject) -> ParameterProblem? {
        guard case .method(let input, _)? = self[method]?.content else { return nil }
        return problem(parameters, input, path: "")
    }

    /// Compares the parameters of a reply with the description of `method`: for tests that hold a service to its text.
    public func problem(inReplyOf method: String, _ parameters: JSONObject) -> ParameterProblem? {
        guard case .method(_, let output)? = self[method]?.content else { return nil }
        return problem(parameters, output, path: "")
    }

    /// Compares the parameters of an error with its description: for tests that hold a service to its text.
    public func problem(inError error: String, _ parameters: JSONObject) -> ParameterProblem? {
        guard case .error(let fields)? = self[error]?.content else { return nil }
        return problem(parameters, fields, path: "")
    }

    private func problem(_ object: JSONObject, _ fields: [Field], path: String) -> ParameterProblem? {
        var present = 0
        for field in fields {
            let name = path.isEmpty ? field.name : path + "." + field.name
            let value = object[field.name]
            if value != nil { present += 1 }
            if case .optional(let inner) = field.type {
                if let value, value != .null, let problem = problem(value, inner, path: name) { return problem }
            } else if let value {
                if let problem = problem(value, field.type, path: name) { return problem }
            } else {
                return ParameterProblem(parameter: name, kind: .missing)
            }
        }
        guard present < object.count else { return nil }
        let unknown = object.names.first { name in !fields.contains { $0.name == name } }
        return unknown.map { ParameterProblem(parameter: path.isEmpty ? $0 : path + "." + $0, kind: .unknown) }
    }

    private func problem(_ value: JSON, _ type: TypeExpression, path: String) -> ParameterProblem? {
        switch (type, value) {
        case (.bool, .bool), (.string, .string), (.float, .number), (.object, .object), (.any, _): return nil
        // 64 bits; nothing that passed through a floating-point number.
        case (.int, .number) where value.integerValue != nil: return nil
        case (.optional, .null): return nil
        case (.optional(let inner), _): return problem(value, inner, path: path)
        case (.enumeration(let cases), .string(let text)) where cases.contains(text): return nil
        case (.structure(let fields), .object(let object)): return problem(object, fields, path: path)
        case (.array(let element), .array(let values)): return first(values, element, path)
        case (.dictionary(let element), .object(let object)): return first(object.values, element, path)
        case (.named(let name), _):
            if case .type(let named)? = self[name]?.content { return problem(value, named, path: path) }
            return ParameterProblem(parameter: path, kind: .notA(name))
        case (.bool, _): return ParameterProblem(parameter: path, kind: .notA("bool"))
        case (.int, _): return ParameterProblem(parameter: path, kind: .notA("int"))
        case (.float, _): return ParameterProblem(parameter: path, kind: .notA("float"))
        case (.string, _): return ParameterProblem(parameter: path, kind: .notA("string"))
        case (.object, _), (.structure, _), (.dictionary, _):
            return ParameterProblem(parameter: path, kind: .notA("object"))
        case (.array, _): return ParameterProblem(parameter: path, kind: .notA("array"))
        case (.enumeration(let cases), _):
            return ParameterProblem(parameter: path, kind: .notA(cases.joined(separator: " or ")))
        }
    }

    private func first(_ values: [JSON], _ type: TypeExpression, _ path: String) -> ParameterProblem? {
        for value in values {
            if let problem = problem(value, type, path: path) { return problem }
        }
        return nil
    }
}
