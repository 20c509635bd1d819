/// A value that a caller passes to a run.
///
/// `text` is what the script sees behind `--name=`: a string as it is; numbers as written, booleans, arrays and objects
/// as JSON. Nothing passes through a floating-point number.
public struct ParameterValue: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable { case string, number, boolean, array, object }

    public var kind: Kind
    public var text: String

    public init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }
}

public struct Parameter: Sendable, Hashable, Codable {
    public var name: String
    public var value: ParameterValue

    public init(name: String, value: ParameterValue) {
        self.name = name
        self.value = value
    }

    /// The one argument that the script gets for this parameter.
    public var argument: String { "--\(name)=\(value.text)" }
}

/// Which parameters a task takes.
public enum ParameterPolicy: Sendable, Hashable, Codable {
    /// Nothing declared: any well-formed name.
    case any
    /// Only these.
    case declared([ParameterDeclaration])
}

/// A line of the unit's `[Parameters]` section, or a name of `AcceptParameters=`.
public struct ParameterDeclaration: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case string, integer, number, boolean, array, object
        /// Named in `AcceptParameters=` without a type.
        case any
    }

    public var name: String
    public var kind: Kind
    public var isRequired: Bool
    public var defaultValue: ParameterValue?

    public init(name: String, kind: Kind, isRequired: Bool = false, defaultValue: ParameterValue? = nil) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.defaultValue = defaultValue
    }
}
