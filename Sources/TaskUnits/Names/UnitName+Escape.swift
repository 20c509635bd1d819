extension UnitName {
    /// Any text as a part of a name: `/` becomes `-`; `-`, backslash, a leading dot and all that names cannot have become
    /// `\xHH`, byte by byte (systemd-escape(1)).
    public static func escape(_ text: String) -> String {
        var bytes: [UInt8] = []
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "/"): bytes.append(UInt8(ascii: "-"))
            case UInt8(ascii: "."): bytes += index == 0 ? escaped(byte) : [byte]
            case UInt8(ascii: "-"), UInt8(ascii: "\\"), UInt8(ascii: "@"): bytes += escaped(byte)
            default: bytes += isValid(byte) ? [byte] : escaped(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The reverse of `escape`: `-` becomes `/`, `\xHH` its byte.
    public static func unescape(_ text: String) throws(ValueError) -> String {
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            switch source[index] {
            case UInt8(ascii: "-"): bytes.append(UInt8(ascii: "/"))
            case UInt8(ascii: "\\"):
                guard index + 3 < source.count, source[index + 1] == UInt8(ascii: "x"),
                    let high = digitValue(source[index + 2]), let low = digitValue(source[index + 3]), high | low != 0
                else {
                    throw ValueError(
                        message: "\(quoted(text)) has a broken escape", remedy: "write \\xHH for a byte other than NUL",
                        offset: index)
                }
                bytes.append(UInt8(high << 4 | low))
                index += 3
            default: bytes.append(source[index])
            }
            index += 1
        }
        guard let result = String(validating: bytes, as: UTF8.self) else {
            throw ValueError(
                message: "the escapes of \(quoted(text)) make bytes that are not UTF-8",
                remedy: "escape every byte of the character")
        }
        return result
    }

    /// A path as a part of a name, without the outer slashes; `/` itself is `-`.
    public static func pathEscape(_ path: String) throws(ValueError) -> String {
        let parts = pathParts(path).filter { $0 != "." }
        if parts.isEmpty, path.isEmpty || path.utf8.first == UInt8(ascii: "/") { return "-" }
        guard !parts.isEmpty, !parts.contains(".."), path.utf8.count < 4096 else {
            throw ValueError(
                message: "\(quoted(path)) is no path without . and ..", remedy: "write the path that is meant")
        }
        return escape(parts.joined(separator: "/"))
    }

    /// The reverse of `pathEscape`: an absolute path without doubled slashes and dots.
    public static func pathUnescape(_ text: String) throws(ValueError) -> String {
        if text == "-" { return "/" }
        let path = try unescape(text)
        let parts = pathParts(path, keepingEmpty: true)
        guard !path.isEmpty, path.utf8.count + 1 < 4096,
            parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
        else {
            throw ValueError(
                message: "\(quoted(text)) does not stand for a path",
                remedy: "write the result of faf analyze unitname with op path_escape")
        }
        return "/" + path
    }

    /// `\xHH` in lower case.
    static func escaped(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return Array("\\x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
    }
}
