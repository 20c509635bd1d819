import LinuxSystem
public import TaskModel
public import TaskUnits

/// What specifiers stand for on this machine.
public struct HostContext: Sendable {
    private let base: SpecifierContext
    private let isUserMode: Bool

    /// Looks at the machine once; `context(user:)` then only looks users up.
    public init(directories: Directories, environment: [String: String], isUserMode: Bool) {
        self.isUserMode = isUserMode
        var base = SpecifierContext()
        base.hostname = try? Machine.hostname()
        base.machineID = Machine.machineID()
        base.bootID = (try? Machine.bootID()).flatMap { BootID($0)?.description }
        base.kernelRelease = try? Machine.kernelRelease()
        base.architecture = Self.architecture
        // systemd.unit(5), "Specifiers": the system's, and in user mode the XDG directories.
        if isUserMode {
            let home = environment["HOME"] ?? "/"
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
        }
        self.base = base
    }

    /// The context of a unit whose `User=` is this; `nil`: unset.
    public func context(user: String?) -> SpecifierContext {
        var context = base
        let account: Account?
        if let user, !isUserMode {
            account = try? Accounts.user(user)
        } else {
            account = try? Accounts.user(uid: OwnProcess.uid)
        }
        guard let account else { return context }
        context.user = account.name
        context.uid = account.uid
        context.gid = account.gid ?? account.uid
        context.group = context.gid.map { Accounts.name(ofGroup: $0) ?? String($0) }
        context.home = account.home
        context.shell = account.shell
        return context
    }

    private static var architecture: String? {
        #if arch(x86_64)
        "x86-64"
        #elseif arch(arm64)
        "arm64"
        #else
        nil
        #endif
    }
}
