import LinuxSystem
public import TaskModel
public import TaskUnits

/// What specifiers stand for on this machine.
public struct HostContext: Sendable {
    /// What the user database says of a user, as far as specifiers need it.
    public struct User: Sendable {
        public var name: String
        public var uid: UInt32
        public var gid: UInt32
        public var groupName: String
        public var home: String
        public var shell: String

        public init(name: String, uid: UInt32, gid: UInt32, groupName: String, home: String, shell: String) {
            self.name = name
            self.uid = uid
            self.gid = gid
            self.groupName = groupName
            self.home = home
            self.shell = shell
        }
    }

    private let base: SpecifierContext
    private let isUserMode: Bool
    private let lookUp: @Sendable (String?) -> User?

    /// Looks at the machine once; `context(user:)` then only looks users up.
    ///
    /// - Parameter credentials: where a run finds its credentials (`%d`); in user mode it has none.
    /// - Parameter lookUp: finds a user by name or number, the calling process's own for `nil`. faf brings its own:
    ///   it is linked static, where the C library's lookup would load shared libraries.
    public init(
        environment: [String: String], isUserMode: Bool, credentials: String = Directories.system.credentials,
        lookUp: @escaping @Sendable (String?) -> User? = Self.accounts
    ) {
        self.isUserMode = isUserMode
        self.lookUp = lookUp
        var base = SpecifierContext()
        base.hostname = try? Machine.hostname()
        base.machineID = Machine.machineID()
        base.bootID = (try? Machine.bootID()).map { $0.filter { $0 != "-" } }
        base.kernelRelease = try? Machine.kernelRelease()
        base.architecture = Self.architecture
        base.osRelease = Self.variables("/etc/os-release") ?? Self.variables("/usr/lib/os-release") ?? [:]
        base.prettyHostname = Self.variables("/etc/machine-info")?["PRETTY_HOSTNAME"] ?? base.hostname
        // systemd.unit(5), "Specifiers": the system's, and in user mode the XDG directories.
        if isUserMode {
            let home = environment["HOME"] ?? lookUp(nil)?.home ?? "/"
            base.runtimeDirectory = environment["XDG_RUNTIME_DIR"] ?? "/run/user/\(OwnProcess.uid)"
            base.stateDirectory = environment["XDG_STATE_HOME"] ?? home + "/.local/state"
            base.cacheDirectory = environment["XDG_CACHE_HOME"] ?? home + "/.cache"
            base.configurationDirectory = environment["XDG_CONFIG_HOME"] ?? home + "/.config"
            base.logsDirectory = (base.stateDirectory ?? home) + "/log"
        } else {
            base.runtimeDirectory = "/run"
            base.stateDirectory = "/var/lib"
            base.cacheDirectory = "/var/cache"
            base.configurationDirectory = "/etc"
            base.logsDirectory = "/var/log"
            base.credentialsDirectory = credentials
        }
        self.base = base
    }

    /// The context of a unit whose `User=` is this; `nil`: unset. In user mode every run is the caller's own.
    public func context(user: String?) -> SpecifierContext {
        var context = base
        guard let found = lookUp(isUserMode ? nil : user) else { return context }
        context.user = found.name
        context.uid = found.uid
        context.gid = found.gid
        context.group = found.groupName
        context.home = found.home
        context.shell = found.shell
        return context
    }

    /// Users as the C library finds them (nsswitch.conf(5)).
    @Sendable public static func accounts(_ name: String?) -> User? {
        let account: Account?
        if let name { account = try? Accounts.user(name) } else { account = try? Accounts.user(uid: OwnProcess.uid) }
        guard let account else { return nil }
        let gid = account.gid ?? account.uid
        return User(
            name: account.name, uid: account.uid, gid: gid, groupName: Accounts.name(ofGroup: gid) ?? String(gid),
            home: account.home, shell: account.shell)
    }

    /// systemd's word (systemd.unit(5), ConditionArchitecture=).
    private static var architecture: String? {
        #if arch(x86_64)
        "x86-64"
        #elseif arch(arm64)
        "arm64"
        #else
        nil
        #endif
    }

    private static func variables(_ path: String) -> [String: String]? {
        guard let bytes = (try? Files.read(path)) ?? nil, let list = try? Value.environmentFile(bytes) else {
            return nil
        }
        return Dictionary(list.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }
}
