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

    /// `ProtectSystem=`.
    public enum SystemProtection: String, Sendable, Hashable, Codable { case no, yes, full, strict }

    /// `ProtectHome=`.
    public enum HomeProtection: String, Sendable, Hashable, Codable {
        case no, yes
        case readOnly = "read-only"
        case tmpfs
    }

    /// `PrivateTmp=`.
    public enum PrivateTemporary: String, Sendable, Hashable, Codable {
        case no
        /// Directories of its own on the file systems of /tmp and /var/tmp.
        case yes
        /// In memory.
        case disconnected
    }

    public struct Path: Sendable, Hashable, Codable {
        public var path: String
        /// `-` before it: a missing one is no error.
        public var isOptional: Bool

        public init(path: String, isOptional: Bool) {
            self.path = path
            self.isOptional = isOptional
        }
    }

    public var capabilityBoundingSet = CapabilitySet.all
    public var ambientCapabilities = CapabilitySet()
    public var readWritePaths: [Path] = []
    public var readOnlyPaths: [Path] = []
    public var inaccessiblePaths: [Path] = []
    public var protectSystem = SystemProtection.no
    public var protectHome = HomeProtection.no
    public var privateTmp = PrivateTemporary.no
    public var privateDevices = false
    public var privateNetwork = false
    public var restrictSUIDSGID = false
    public var loadedCredentials: [LoadedCredential] = []
    public var literalCredentials: [LiteralCredential] = []

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            value = try values.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        try read(.capabilityBoundingSet, &capabilityBoundingSet)
        try read(.ambientCapabilities, &ambientCapabilities)
        try read(.readWritePaths, &readWritePaths)
        try read(.readOnlyPaths, &readOnlyPaths)
        try read(.inaccessiblePaths, &inaccessiblePaths)
        try read(.protectSystem, &protectSystem)
        try read(.protectHome, &protectHome)
        try read(.privateTmp, &privateTmp)
        try read(.privateDevices, &privateDevices)
        try read(.privateNetwork, &privateNetwork)
        try read(.restrictSUIDSGID, &restrictSUIDSGID)
        try read(.loadedCredentials, &loadedCredentials)
        try read(.literalCredentials, &literalCredentials)
    }

    /// What is left of `capabilityBoundingSet` with `privateDevices`, which takes the right to make and use others.
    public var effectiveBoundingSet: CapabilitySet {
        privateDevices ? capabilityBoundingSet.subtracting([.mknod, .sysRawIO]) : capabilityBoundingSet
    }

    public var hasCredentials: Bool { !loadedCredentials.isEmpty || !literalCredentials.isEmpty }

    /// The settings that are used, and the capabilities that a supervisor needs to enforce each; none: anybody can.
    public var used: [(setting: String, needs: CapabilitySet)] {
        let all: [(setting: String, isUsed: Bool, needs: CapabilitySet)] = [
            ("CapabilityBoundingSet", capabilityBoundingSet != .all, .setPCap),
            ("AmbientCapabilities", !ambientCapabilities.isEmpty, ambientCapabilities.intersection(.named)),
            ("ReadOnlyPaths", !readOnlyPaths.isEmpty, .sysAdmin),
            ("ReadWritePaths", !readWritePaths.isEmpty, .sysAdmin),
            ("InaccessiblePaths", !inaccessiblePaths.isEmpty, .sysAdmin),
            ("ProtectSystem", protectSystem != .no, .sysAdmin),
            ("ProtectHome", protectHome != .no, .sysAdmin),
            ("PrivateTmp", privateTmp != .no, .sysAdmin),
            ("PrivateDevices", privateDevices, [.sysAdmin, .setPCap]),
            ("PrivateNetwork", privateNetwork, [.sysAdmin, .netAdmin]),
            ("RestrictSUIDSGID", restrictSUIDSGID, []),
            ("LoadCredential", !loadedCredentials.isEmpty, .sysAdmin),
            ("SetCredential", !literalCredentials.isEmpty, .sysAdmin),
        ]
        return all.filter(\.isUsed).map { ($0.setting, $0.needs) }
    }
}
