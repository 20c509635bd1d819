/// An interface, as its `.varlink` text describes it.
public struct InterfaceDescription: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case type, method, error }

    public struct Member: Sendable, Hashable {
        public enum Content: Sendable, Hashable {
            /// A structure or an enumeration.
            case type(TypeExpression)
            case method(input: [Field], output: [Field])
            case error([Field])
        }

        public var name: String
        /// The comment above it, without `#`.
        public var documentation: String
        public var content: Content

        public var kind: Kind {
            switch content {
            case .type: .type
            case .method: .method
            case .error: .error
            }
        }
    }

    public struct Field: Sendable, Hashable {
        public var name: String
        public var type: TypeExpression
        /// The comment above it, without `#`.
        public var documentation: String

        public init(name: String, type: TypeExpression, documentation: String = "") {
            self.name = name
            self.type = type
            self.documentation = documentation
        }
    }

    /// What a value may be.
    public indirect enum TypeExpression: Sendable, Hashable {
        case bool, int, float, string
        /// Any JSON object.
        case object
        /// Any JSON value.
        case any
        /// A type of the same interface.
        case named(String)
        case structure([Field])
        case enumeration([String])
        case array(TypeExpression)
        /// An object with any names.
        case dictionary(TypeExpression)
        /// May be missing or null.
        case optional(TypeExpression)
    }

    /// In reverse-domain notation: `io.faf.Supervisor`.
    public let name: String
    /// What GetInterfaceDescription answers with.
    public let text: String
    /// The comment above `interface`.
    public let documentation: String
    /// In the order of the text.
    public let members: [Member]

    private let indexes: [String: Int]

    init(name: String, text: String, documentation: String, members: [Member]) {
        self.name = name
        self.text = text
        self.documentation = documentation
        self.members = members
        indexes = Dictionary(members.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The member called `name`; types, methods and errors share their names.
    public subscript(name: String) -> Member? { indexes[name].map { members[$0] } }
}

/// Where and why a text describes no interface.
public struct InterfaceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    /// From 1, in bytes.
    public var column: Int
    public var message: String

    public var description: String { "line \(line), column \(column): \(message)" }
}
