/// A value that cannot be read.
public struct ValueError: Error, Sendable, Hashable {
    /// What is wrong.
    public var message: String
    /// What to write instead.
    public var remedy: String
    /// Where in the value, as a UTF-8 offset, if it is known.
    public var offset: Int?

    public init(message: String, remedy: String, offset: Int? = nil) {
        self.message = message
        self.remedy = remedy
        self.offset = offset
    }
}

/// Reads values as systemd's own functions do (checked against systemd 252). Pure: nothing is looked up anywhere.
public enum Value {}

/// A value in quotes for a message, shortened: values can be a mebibyte long.
func quoted(_ text: some StringProtocol) -> String {
    text.unicodeScalars.count > 80 ? "“\(String(String(text).unicodeScalars.prefix(80)))…”" : "“\(text)”"
}
