extension JSON {
    /// Appends the value as JSON text, without whitespace. Control characters are escaped, so the text never holds a NUL.
    public func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: JSON.writeRaw("null", to: &bytes)
        case .bool(true): JSON.writeRaw("true", to: &bytes)
        case .bool(false): JSON.writeRaw("false", to: &bytes)
        case .number(let text): JSON.writeRaw(text, to: &bytes)
        case .string(let text): JSON.writeString(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            var isFirst = true
            for element in elements {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object): object.write(to: &bytes)
        }
    }

    /// The value as JSON text.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    /// The value as JSON text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Appends `text` as a JSON string, quotes included.
    public static func writeString(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { source in
            // What needs no escape is copied in stretches; most strings are one.
            var start = 0
            for index in source.indices {
                let byte = source[index]
                if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: source[start..<index]))
                writeEscape(byte, to: &bytes)
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: source[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func writeEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            writeRaw("u00", to: &bytes)
            bytes.append(hexadecimalDigits[Int(byte >> 4)])
            bytes.append(hexadecimalDigits[Int(byte & 15)])
        }
    }

    /// Appends text that is JSON already.
    static func writeRaw(_ text: String, to bytes: inout [UInt8]) { bytes.append(contentsOf: text.utf8) }

    private static let hexadecimalDigits = Array("0123456789abcdef".utf8)
}

extension JSONObject {
    /// Appends the object as JSON text.
    public func write(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for index in names.indices {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSON.writeString(names[index], to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            values[index].write(to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}
