/// What a unit keeps from its script, and what it shows to it alone (systemd.exec(5), CAPABILITIES, SANDBOXING and
/// CREDENTIALS). Stored with each run: what is missing when it is decoded has its default.
public struct Sandbox: Sendable, Hashable, Codable {
    /// `LoadCredential=`: read by the supervisor at each start.
    public struct LoadedCredential: Sendable, Hashable, Codable {
        public var name: String
        /// Absolute, or the name of a credential of the supervisor's own or in a credential store.
        public var source: String

        public init(name: String, source: String) {
            self.name = name
            self.source = source
        }
    }

    /// `SetCredential=`: not secret, since the unit is not.
    public struct LiteralCredential: Sendable, Hashable, Codable {
        public var name: String
        public var content: [UInt8]

        public init(name: String, content: [UInt8]) {
            self.name = name
            self.content = content
        }
    }

    public var loadedCredentials: [LoadedCredential] = []
    public var literalCredentials: [LiteralCredential] = []

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            value = try values.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        try read(.loadedCredentials, &loadedCredentials)
        try read(.literalCredentials, &literalCredentials)
    }

    public var hasCredentials: Bool { !loadedCredentials.isEmpty || !literalCredentials.isEmpty }

    /// The settings that are used, and the capabilities that a supervisor needs to enforce each; none: anybody can.
    public var used: [(setting: String, needs: CapabilitySet)] {
        let all: [(setting: String, isUsed: Bool, needs: CapabilitySet)] = [
            ("LoadCredential", !loadedCredentials.isEmpty, .sysAdmin),
            ("SetCredential", !literalCredentials.isEmpty, .sysAdmin),
        ]
        return all.filter(\.isUsed).map { ($0.setting, $0.needs) }
    }
}
