/// A reply as it goes over the wire.
public struct Reply: Sendable, Hashable {
    public var parameters: JSONObject
    /// More replies to the same call follow.
    public var continues: Bool
    /// The qualified name of the error; `nil` means that the call succeeded.
    public var error: String?

    public init(parameters: JSONObject = JSONObject(), continues: Bool = false, error: String? = nil) {
        self.parameters = parameters
        self.continues = continues
        self.error = error
    }
}

extension Reply {
    /// Reads a message without its NUL. Members that this version does not know are ignored.
    public init(decoding bytes: Span<UInt8>) throws(MessageError) {
        let object = try MessageObject(bytes)
        self.init(
            parameters: try object.object("parameters") ?? JSONObject(), continues: try object.flag("continues"),
            error: try object.string("error"))
    }

    /// Appends the reply with its NUL. Never `continues: false` and never `error: null`: some implementations hang up.
    public func encode(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        if let error {
            JSON.writeRaw(#""error":"#, to: &bytes)
            JSON.writeString(error, to: &bytes)
            bytes.append(UInt8(ascii: ","))
        }
        JSON.writeRaw(#""parameters":"#, to: &bytes)
        parameters.write(to: &bytes)
        if continues { JSON.writeRaw(#","continues":true"#, to: &bytes) }
        bytes.append(UInt8(ascii: "}"))
        bytes.append(0)
    }
}
