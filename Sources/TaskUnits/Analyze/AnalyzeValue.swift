/// A JSON value as `faf analyze` takes and gives it: TaskUnits knows no JSON text, whoever calls converts.
public enum AnalyzeValue: Sendable, Hashable {
    public struct Member: Sendable, Hashable {
        public var name: String
        public var value: AnalyzeValue

        public init(_ name: String, _ value: AnalyzeValue) {
            self.name = name
            self.value = value
        }
    }

    case null
    case bool(Bool)
    /// As written in JSON: 64 bits go through unchanged.
    case number(String)
    case string(String)
    case array([AnalyzeValue])
    /// In order, no name twice.
    case object([Member])

    public static func integer(_ value: some BinaryInteger) -> AnalyzeValue { .number(String(value)) }
    static func strings(_ values: [String]) -> AnalyzeValue { .array(values.map { .string($0) }) }

    public subscript(name: String) -> AnalyzeValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var elements: [AnalyzeValue]? { if case .array(let elements) = self { elements } else { nil } }
    var unsigned: UInt64? { if case .number(let text) = self { UInt64(text) } else { nil } }
    var isNull: Bool { self == .null }
}
