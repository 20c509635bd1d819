/// A JSON value (RFC 8259). Numbers keep their text; an object keeps the order of its names and never holds one twice.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    /// As written, syntactically valid.
    case number(String)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

/// An object's members in their order.
public struct JSONObject: Sendable, Hashable {
    public typealias Member = (name: String, value: JSON)

    /// Without duplicates, in step with `values`.
    private(set) var names: [String] = []
    private(set) var values: [JSON] = []

    public init() {}

    /// `names` holds no name twice.
    init(uniqueNames names: [String], values: [JSON]) {
        self.names = names
        self.values = values
    }

    /// The value of `name`, `nil` if it is not there. Setting `nil` removes it; setting a new name appends it.
    public subscript(name: String) -> JSON? {
        get { names.firstIndex(of: name).map { values[$0] } }
        set {
            if let index = names.firstIndex(of: name) {
                if let newValue {
                    values[index] = newValue
                } else {
                    names.remove(at: index)
                    values.remove(at: index)
                }
            } else if let newValue {
                names.append(name)
                values.append(newValue)
            }
        }
    }

    public var isEmpty: Bool { names.isEmpty }
    public var count: Int { names.count }
    public var members: [Member] { names.indices.map { (name: names[$0], value: values[$0]) } }
}

extension JSON {
    public static func integer(_ value: some BinaryInteger) -> JSON { .number(String(value)) }
    public static func object(_ members: KeyValuePairs<String, JSON?>) -> JSON {
        var object = JSONObject()
        for (name, value) in members { if let value { object[name] = value } }
        return .object(object)
    }

    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var arrayValue: [JSON]? { if case .array(let value) = self { value } else { nil } }
    public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// The number as a 64-bit integer; `nil` if it is none, has a fraction, or does not fit.
    public var integerValue: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
}

extension JSON: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// A name that is there twice keeps its last value.
    public init(dictionaryLiteral members: (String, JSON)...) {
        for (name, value) in members { self[name] = value }
    }
}
