internal import CRecord
public import TaskModel

extension LaunchSpecification {
    /// Namespaces, mounts, capabilities and credentials of one attempt, as the script's process makes them for itself.
    public struct Sandbox: Sendable, Hashable {
        /// In the order in which they are made: what is above before what is below. Not empty: a mount namespace.
        public var mounts: [Mount] = []
        /// For the mount of kind `.credentials`.
        public var credentials: [Credential] = []
        /// Network namespace of its own.
        public var hasOwnNetwork = false
        /// No device file works beside those of the mount of kind `.devices`.
        public var forbidsDevices = false
        /// No setuid or setgid bit can be set on a file.
        public var forbidsSUID = false
        /// The bounding and the ambient set; `nil`: they are left as they are, and empty.
        public var capabilities: Capabilities?

        public init() {}
    }

    public struct Capabilities: Sendable, Hashable {
        public var bounding: CapabilitySet
        public var ambient: CapabilitySet

        public init(bounding: CapabilitySet, ambient: CapabilitySet) {
            self.bounding = bounding
            self.ambient = ambient
        }
    }

    public struct Credential: Sendable, Hashable {
        /// The name of its file.
        public var name: String
        public var content: [UInt8]

        public init(name: String, content: [UInt8]) {
            self.name = name
            self.content = content
        }
    }

    /// What happens at one path. Paths are real paths.
    public struct Mount: Sendable, Hashable {
        public enum Kind: Sendable, Hashable {
            /// With all that is mounted below.
            case readOnly
            /// As it is outside.
            case readWrite
            /// An empty directory of this mode; where there is no directory, this empty file.
            case hidden(mode: UInt32, file: String)
            /// An empty file system in memory, for temporary files.
            case memory(mode: UInt32)
            /// A directory that the shim makes.
            case directory(String)
            /// Pseudo devices alone.
            case devices
            /// The credentials, as files.
            case credentials
        }

        public var path: String
        public var kind: Kind
        /// Something above hides the path: the way to it is made anew there.
        public var isMade = false

        public init(_ kind: Kind, at path: String) {
            self.path = path
            self.kind = kind
        }
    }
}

extension ItemWriter {
    mutating func add(_ sandbox: LaunchSpecification.Sandbox) throws(SpecificationError) {
        var head = faf_spec_sandbox()
        func set(_ flag: faf_sandbox_flag, _ on: Bool) { if on { head.flags |= flag.rawValue } }
        set(FAF_SANDBOX_MOUNTS, !sandbox.mounts.isEmpty)
        set(FAF_SANDBOX_NETWORK, sandbox.hasOwnNetwork)
        set(FAF_SANDBOX_NO_DEVICES, sandbox.forbidsDevices)
        set(FAF_SANDBOX_NO_SUID, sandbox.forbidsSUID)
        set(FAF_SANDBOX_CAPABILITIES, sandbox.capabilities != nil)
        if let capabilities = sandbox.capabilities {
            head.bounding = capabilities.bounding.rawValue
            head.ambient = capabilities.ambient.rawValue
        }
        add(FAF_SPEC_SANDBOX, bytes: rawBytes(head))
        for mount in sandbox.mounts { try add(mount) }
        for credential in sandbox.credentials {
            try refuseNUL(credential.name, "a credential's name")
            add(FAF_SPEC_CREDENTIAL, bytes: Array(credential.name.utf8) + [0] + credential.content)
        }
    }

    private mutating func add(_ mount: LaunchSpecification.Mount) throws(SpecificationError) {
        let (kind, mode, source): (faf_mount_kind, UInt32, String) =
            switch mount.kind {
            case .readOnly: (FAF_MOUNT_READ_ONLY, 0, "")
            case .readWrite: (FAF_MOUNT_READ_WRITE, 0, "")
            case .hidden(let mode, let file): (FAF_MOUNT_HIDE, mode, file)
            case .memory(let mode): (FAF_MOUNT_TMPFS, mode, "")
            case .directory(let source): (FAF_MOUNT_BIND, 0, source)
            case .devices: (FAF_MOUNT_DEVICES, 0, "")
            case .credentials: (FAF_MOUNT_CREDENTIALS, 0, "")
            }
        try refuseNUL(mount.path, "a path of the sandbox")
        try refuseNUL(source, "a path of the sandbox")
        let head = faf_spec_mount(
            kind: kind.rawValue, flags: mount.isMade ? FAF_MOUNT_MAKE.rawValue : 0, mode: mode,
            path_length: UInt32(mount.path.utf8.count))
        add(FAF_SPEC_MOUNT, bytes: rawBytes(head) + Array(mount.path.utf8) + [0] + Array(source.utf8) + [0])
    }

    private func refuseNUL(_ text: String, _ what: String) throws(SpecificationError) {
        if text.utf8.contains(0) { throw .containsNUL(what) }
    }
}
