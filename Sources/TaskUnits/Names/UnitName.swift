/// The name of a task unit with its suffix: `transcode.task`, the template `resize@.task`, its instance
/// `resize@thumb.task` (systemd.unit(5)).
public struct UnitName: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable { case plain, template, instance }

    /// All of it, with suffix.
    public let text: String
    /// Before the first `@`, or before the suffix.
    public let prefix: String
    /// Between the first `@` and the suffix, as written; `nil` for plain names and templates.
    public let instance: String?
    /// A template cannot be started itself.
    public let isTemplate: Bool
    public var suffix: String { Self.suffix }
    /// Without the suffix: how a task is called on the command line and in a run's row.
    public var task: String { String(text.dropLast(Self.suffix.count)) }
    public var kind: Kind { isTemplate ? .template : instance == nil ? .plain : .instance }
    public var description: String { text }

    public static let suffix = ".task"
    /// In bytes.
    static let longest = 255

    /// At most 255 bytes of `A-Z a-z 0-9 : - _ . \ @`, not beginning with `@`, and `.task` at the end.
    public init(_ text: String) throws(ValueError) {
        guard text.utf8.reversed().starts(with: Self.suffix.utf8.reversed()),
            text.utf8.count > Self.suffix.utf8.count
        else {
            throw ValueError(
                message: "\(quoted(text)) is no name of a task unit", remedy: "write NAME.task")
        }
        guard text.utf8.count <= Self.longest else {
            throw ValueError(message: "the name \(quoted(text)) is too long", remedy: "at most 255 bytes are allowed")
        }
        let stem = Array(text.utf8.dropLast(Self.suffix.utf8.count))
        if let offset = stem.firstIndex(where: { !Self.isValid($0) }) {
            throw ValueError(
                message: "\(quoted(text)) has a character that names cannot have",
                remedy:
                    "only letters, digits, : - _ . \\ and @ are allowed; write others as \\xHH (faf analyze unitname)",
                offset: offset)
        }
        let at = stem.firstIndex(of: UInt8(ascii: "@"))
        if at == 0 {
            throw ValueError(message: "\(quoted(text)) has nothing before the @", remedy: "write NAME@INSTANCE.task")
        }
        self.text = text
        prefix = String(decoding: stem[..<(at ?? stem.count)], as: UTF8.self)
        let instance = at.map { String(decoding: stem[($0 + 1)...], as: UTF8.self) }
        isTemplate = instance == ""
        self.instance = isTemplate ? nil : instance
    }

    /// `resize@.task` for `resize@thumb.task`; `nil` for a plain name.
    public var template: UnitName? {
        kind == .plain ? nil : try? UnitName("\(prefix)@\(Self.suffix)")
    }

    /// The instance of a template, or the sibling of an instance.
    public func instantiate(_ instance: String) throws(ValueError) -> UnitName {
        if kind == .plain {
            throw ValueError(message: "\(text) is no template", remedy: "write a template, NAME@.task")
        }
        if instance.isEmpty {
            throw ValueError(message: "the instance is empty", remedy: "write NAME@INSTANCE.task")
        }
        return try UnitName("\(prefix)@\(instance)\(Self.suffix)")
    }

    /// The name that somebody means who types `text`: a valid name as it is; otherwise invalid characters are escaped
    /// (`/` becomes `-`) and the suffix is added.
    public static func mangle(_ text: String) throws(ValueError) -> UnitName {
        if text.isEmpty { throw ValueError(message: "the name is empty", remedy: "write NAME or NAME.task") }
        if let name = try? UnitName(text) { return name }
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == UInt8(ascii: "/") {
                bytes.append(UInt8(ascii: "-"))
            } else if isValid(byte) {
                bytes.append(byte)
            } else {
                bytes += escaped(byte)
            }
        }
        let mangled = String(decoding: bytes, as: UTF8.self)
        if let name = try? UnitName(mangled) { return name }
        return try UnitName(mangled + suffix)
    }

    static func isValid(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: isDigit(byte) || ":-_.\\@".utf8.contains(byte)
        }
    }
}
