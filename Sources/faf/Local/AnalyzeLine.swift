import TaskUnits
import Varlink

/// One question to `faf analyze` and its answer, as JSON.
struct AnalyzeLine {
    let context: SpecifierContext

    /// The answer to a line of `--json-lines`: `{"kind": …, "case": {…}}`.
    func answer(to line: String) -> JSON {
        let question: JSON
        do throws(JSONError) {
            question = try JSON(parsing: line)
        } catch {
            return Self.error("the line is no JSON: \(error)")
        }
        guard let object = question.objectValue, let kind = object["kind"]?.stringValue else {
            return Self.error("the line is no object with kind and case")
        }
        return answer(kind: kind, case: object["case"] ?? .object(JSONObject())).answer
    }

    func answer(kind: String, case value: JSON) -> (answer: JSON, warnings: [String]) {
        if kind == "varlink_idl" { return (interface(value), []) }
        let (answer, warnings) = Analyze.explain(kind: kind, caseValue: AnalyzeValue(value), context: context)
        return (JSON(answer), warnings)
    }

    static let kinds = Analyze.kinds + ["varlink_idl"]

    private func interface(_ value: JSON) -> JSON {
        let bytes: [UInt8]
        if let text = value.objectValue?["input"]?.stringValue {
            bytes = Array(text.utf8)
        } else if let text = value.objectValue?["input_base64"]?.stringValue {
            guard let decoded = Base64.decode(text) else { return Self.error("input_base64 is no base64") }
            bytes = decoded
        } else {
            return Self.error("the case has no input, or it is not a text")
        }
        do throws(InterfaceError) {
            let interface = try InterfaceDescription(parsing: bytes)
            let members = interface.members.map { member in
                JSON.array([.string(member.kind.rawValue), .string(member.name)])
            }
            return .object(["value": .object(["interface": .string(interface.name), "members": .array(members)])])
        } catch {
            return Self.error(error.description)
        }
    }

    private static func error(_ text: String) -> JSON { .object(["error": .string(text)]) }
}

/// RFC 4648.
enum Base64 {
    /// `nil`: not base64. Padding may be missing.
    static func decode(_ text: String) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let end = text.utf8.lastIndex { $0 != UInt8(ascii: "=") }.map { text.utf8.index(after: $0) }
        let digits = text.utf8[..<(end ?? text.startIndex)]
        if digits.count % 4 == 1 { return nil }
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for digit in digits {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            buffer = (buffer << 6 | UInt32(value)) & 0xffff
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(buffer >> bits & 0xff))
            }
        }
        return bytes
    }
}

extension AnalyzeValue {
    init(_ json: JSON) {
        self =
            switch json {
            case .null: .null
            case .bool(let value): .bool(value)
            case .number(let text): .number(text)
            case .string(let text): .string(text)
            case .array(let elements): .array(elements.map(AnalyzeValue.init))
            case .object(let object): .object(object.members.map { .init($0.name, AnalyzeValue($0.value)) })
            }
    }
}

extension JSON {
    init(_ value: AnalyzeValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .number(let text): self = .number(text)
        case .string(let text): self = .string(text)
        case .array(let elements): self = .array(elements.map(JSON.init))
        case .object(let members):
            var object = JSONObject()
            for member in members { object[member.name] = JSON(member.value) }
            self = .object(object)
        }
    }
}
