/// The keys of one case, read with errors that name the key.
struct AnalyzeCase {
    let value: AnalyzeValue

    /// `input`, or the bytes of `input_base64`.
    func bytes() throws(ValueError) -> [UInt8] {
        if let text = value["input"]?.text { return Array(text.utf8) }
        guard let encoded = value["input_base64"]?.text else { throw missing("input", "a text") }
        return try Self.base64(encoded)
    }

    /// What is not UTF-8 is refused where a unit file would be refused too.
    func text() throws(ValueError) -> String {
        if let text = value["input"]?.text { return text }
        guard let text = String(validating: try bytes(), as: UTF8.self) else {
            throw ValueError(message: "the input is not valid UTF-8", remedy: "write UTF-8")
        }
        return text
    }

    func text(_ key: String) throws(ValueError) -> String {
        guard let text = value[key]?.text else { throw missing(key, "a text") }
        return text
    }

    /// A list of texts; a single text stands for a list of one.
    func texts(_ key: String) throws(ValueError) -> [String] {
        if let text = value[key]?.text { return [text] }
        if key == "input", value[key] == nil, value["input_base64"] != nil { return [try text()] }
        guard let elements = value[key]?.elements else { throw missing(key, "a list of texts") }
        let texts = elements.compactMap(\.text)
        guard texts.count == elements.count else { throw missing(key, "a list of texts") }
        return texts
    }

    func number(_ key: String, default number: UInt64) throws(ValueError) -> UInt64 {
        guard let given = value[key], !given.isNull else { return number }
        guard let number = given.unsigned else { throw missing(key, "a whole number") }
        return number
    }

    /// `unit`, or a name that stands for any.
    func unit() throws(ValueError) -> UnitName {
        guard let given = value["unit"], !given.isNull else { return try UnitName("analyze.task") }
        guard let text = given.text else { throw missing("unit", "a text") }
        return try UnitName(text)
    }

    func missing(_ key: String, _ what: String) -> ValueError {
        ValueError(message: "the case has no \(key), or it is not \(what)", remedy: "give \(key) as \(what)")
    }

    /// RFC 4648, padding optional.
    static func base64(_ text: String) throws(ValueError) -> [UInt8] {
        let broken = ValueError(message: "broken base64", remedy: "encode the bytes as RFC 4648 says")
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let digits = Array(text.utf8.reversed().drop { $0 == UInt8(ascii: "=") }.reversed())
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        if digits.count % 4 == 1 { throw broken }
        for digit in digits {
            guard let value = alphabet.firstIndex(of: digit) else { throw broken }
            buffer = buffer << 6 & 0xFFFF | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(buffer >> UInt32(bits) & 0xFF))
            }
        }
        return bytes
    }
}
