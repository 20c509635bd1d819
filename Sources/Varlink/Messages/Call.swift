/// A call as it goes over the wire.
public struct Call: Sendable, Hashable {
    /// With its interface: `io.faf.Supervisor.Fire`.
    public var method: String
    /// Empty if they are missing or null: the protocol makes no difference.
    public var parameters: JSONObject
    /// The caller wants no answer, not even an error.
    public var oneway: Bool
    /// The caller takes several replies.
    public var more: Bool
    /// The caller wants to talk another protocol afterwards.
    public var upgrade: Bool

    public init(
        method: String, parameters: JSONObject = JSONObject(), oneway: Bool = false, more: Bool = false,
        upgrade: Bool = false
    ) {
        self.method = method
        self.parameters = parameters
        self.oneway = oneway
        self.more = more
        self.upgrade = upgrade
    }
}

/// Why a message cannot be read. Such a message ends its connection.
public enum MessageError: Error, Sendable, Hashable {
    case notJSON(JSONError)
    case notAnObject
    /// A member of the message itself (not of its parameters) is missing or has the wrong type.
    case badMember(String)
}

extension Call {
    /// Reads a message without its NUL. Members that this version does not know are ignored.
    public init(decoding bytes: Span<UInt8>) throws(MessageError) {
        let object = try MessageObject(bytes)
        guard let method = try object.string("method") else { throw .badMember("method") }
        self.init(
            method: method, parameters: try object.object("parameters") ?? JSONObject(),
            oneway: try object.flag("oneway"), more: try object.flag("more"), upgrade: try object.flag("upgrade"))
        if oneway && more { throw .badMember("more") }
    }

    /// Appends the call with its NUL. What is false or empty is left out: some implementations hang up on it.
    public func encode(to bytes: inout [UInt8]) {
        JSON.writeRaw(#"{"method":"#, to: &bytes)
        JSON.writeString(method, to: &bytes)
        if !parameters.isEmpty {
            JSON.writeRaw(#","parameters":"#, to: &bytes)
            parameters.write(to: &bytes)
        }
        if oneway { JSON.writeRaw(#","oneway":true"#, to: &bytes) }
        if more { JSON.writeRaw(#","more":true"#, to: &bytes) }
        if upgrade { JSON.writeRaw(#","upgrade":true"#, to: &bytes) }
        bytes.append(UInt8(ascii: "}"))
        bytes.append(0)
    }
}

/// A message's members, read by type. Null is the same as missing.
struct MessageObject {
    private let object: JSONObject

    init(_ bytes: Span<UInt8>) throws(MessageError) {
        let value: JSON
        do throws(JSONError) { value = try JSON(parsing: bytes) } catch { throw .notJSON(error) }
        guard case .object(let object) = value else { throw .notAnObject }
        self.object = object
    }

    func string(_ name: String) throws(MessageError) -> String? {
        switch object[name] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw .badMember(name)
        }
    }

    func object(_ name: String) throws(MessageError) -> JSONObject? {
        switch object[name] {
        case nil, .null: return nil
        case .object(let object): return object
        default: throw .badMember(name)
        }
    }

    func flag(_ name: String) throws(MessageError) -> Bool {
        switch object[name] {
        case nil, .null: return false
        case .bool(let value): return value
        default: throw .badMember(name)
        }
    }
}
