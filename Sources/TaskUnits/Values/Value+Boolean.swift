extension Value {
    /// `1 yes y true t on` and `0 no n false f off`, in any case.
    public static func boolean(_ text: String) throws(ValueError) -> Bool {
        switch String(decoding: text.utf8.map(lowercased), as: UTF8.self) {
        case "1", "yes", "y", "true", "t", "on": return true
        case "0", "no", "n", "false", "f", "off": return false
        default: throw ValueError(message: "\(quoted(text)) is neither yes nor no", remedy: "write yes or no")
        }
    }
}

private func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
