extension JSON {
    /// A value as JSON text, which Foundation's `JSONDecoder` reads. Numbers, texts and what is made of them; not
    /// Foundation's own types. Throws what the value's `encode(to:)` throws, and for numbers that are not finite.
    ///
    /// For what is encoded often: `JSONEncoder` makes an object of every name and number first, and takes ten times as
    /// long.
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        let text = Text()
        try text.add(value)
        var bytes: [UInt8] = []
        text.write(to: &bytes)
        return bytes
    }
}

/// A value that keeps its text: `JSON.encode` takes it as it is.
public protocol KeepsJSON: Encodable {
    /// One JSON value, as UTF-8.
    var json: [UInt8] { get throws }
}

/// Text that is being written from its beginning to its end, but for containers that were asked for by themselves: they
/// may be filled later than what follows them.
private final class Text {
    private var bytes: [UInt8] = []
    private var later: [(offset: Int, text: Text)] = []
    /// Of the container that is open; `nil`: none is.
    private var closing: UInt8?
    private var isEmpty = true

    func write(to output: inout [UInt8]) {
        var written = 0
        for (offset, text) in later {
            output += bytes[written..<offset]
            text.write(to: &output)
            written = offset
        }
        output += bytes[written...]
        if let closing { output.append(closing) }
    }

    func open(_ opening: UInt8, _ closing: UInt8) {
        if self.closing != nil { return }
        bytes.append(opening)
        self.closing = closing
        isEmpty = true
    }

    func beginElement() {
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
    }

    func beginElement(_ key: some CodingKey) {
        beginElement()
        JSON.writeString(key.stringValue, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    func addLater() -> Text {
        let text = Text()
        later.append((bytes.count, text))
        return text
    }

    func addNull() { JSON.writeRaw("null", to: &bytes) }

    func add<Value: Encodable>(_ value: Value) throws {
        switch value {
        case let text as String: JSON.writeString(text, to: &bytes)
        case let flag as Bool: JSON.writeRaw(flag ? "true" : "false", to: &bytes)
        case let number as any BinaryInteger: JSON.writeRaw("\(number)", to: &bytes)
        case let number as any BinaryFloatingPoint:
            guard number.isFinite else {
                throw EncodingError.invalidValue(
                    value, .init(codingPath: [], debugDescription: "JSON has no word for \(number)"))
            }
            JSON.writeRaw("\(number)", to: &bytes)
        case let keeper as any KeepsJSON: bytes += try keeper.json
        default:
            let outer = (closing, isEmpty)
            let start = bytes.count
            let laterBefore = later.count
            closing = nil
            try value.encode(to: TextEncoder(text: self))
            if let closing {
                bytes.append(closing)
            } else if bytes.count == start, later.count == laterBefore {
                JSON.writeRaw("{}", to: &bytes)
            }
            (closing, isEmpty) = outer
        }
    }
}

private struct TextEncoder: Encoder, SingleValueEncodingContainer {
    let text: Text
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        text.open(UInt8(ascii: "{"), UInt8(ascii: "}"))
        return KeyedEncodingContainer(Members(text: text))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        text.open(UInt8(ascii: "["), UInt8(ascii: "]"))
        return Elements(text: text)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() { text.addNull() }
    func encode<Value: Encodable>(_ value: Value) throws { try text.add(value) }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let text: Text
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) {
        text.beginElement(key)
        text.addNull()
    }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        text.beginElement(key)
        try text.add(value)
    }

    func nestedContainer<Other>(keyedBy type: Other.Type, forKey key: Key) -> KeyedEncodingContainer<Other> {
        superEncoder(forKey: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        superEncoder(forKey: key).unkeyedContainer()
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        text.beginElement(key)
        return TextEncoder(text: text.addLater())
    }

    func superEncoder() -> any Encoder {
        text.beginElement(SuperKey())
        return TextEncoder(text: text.addLater())
    }
}

private struct Elements: UnkeyedEncodingContainer {
    let text: Text
    private(set) var count = 0
    var codingPath: [any CodingKey] { [] }

    init(text: Text) { self.text = text }

    mutating func encodeNil() {
        begin()
        text.addNull()
    }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        begin()
        try text.add(value)
    }

    mutating func nestedContainer<Other>(keyedBy type: Other.Type) -> KeyedEncodingContainer<Other> {
        superEncoder().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { superEncoder().unkeyedContainer() }

    mutating func superEncoder() -> any Encoder {
        begin()
        return TextEncoder(text: text.addLater())
    }

    private mutating func begin() {
        text.beginElement()
        count += 1
    }
}

private struct SuperKey: CodingKey {
    var stringValue: String { "super" }
    var intValue: Int? { nil }
    init() {}
    init?(stringValue: String) { nil }
    init?(intValue: Int) { nil }
}
