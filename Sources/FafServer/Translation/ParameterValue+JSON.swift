import FafAPI
import TaskModel
import Varlink

extension ParameterValue {
    /// As it goes over the wire.
    var json: JSON {
        switch kind {
        case .string: .string(text)
        case .number: .number(text)
        case .boolean: .bool(text == "true")
        // The text was written by our own writer; if a database gives back something else, show it as it is.
        case .array, .object: (try? JSON(parsing: Array(text.utf8))) ?? .string(text)
        }
    }

    /// `nil` for `null`: the parameter is not given.
    init?(_ json: JSON) {
        switch json {
        case .null: return nil
        case .string(let text): self.init(kind: .string, text: text)
        case .number(let text): self.init(kind: .number, text: text)
        case .bool(let value): self.init(kind: .boolean, text: value ? "true" : "false")
        case .array: self.init(kind: .array, text: json.text)
        case .object: self.init(kind: .object, text: json.text)
        }
    }
}

extension JSONObject {
    /// The parameters of a fire, as the caller wrote them.
    var parameters: [Parameter] {
        members.compactMap { member in
            ParameterValue(member.value).map { Parameter(name: member.name, value: $0) }
        }
    }
}
