import Glibc
import LinuxSystem
import TaskModel
import TaskUnits

/// What specifiers stand for on this machine, looked up without fafd.
enum LocalContext {
    /// - Parameters:
    ///   - user: as `User=` has it; `nil`: the caller.
    ///   - isUserMode: the directories are those of the caller's own fafd.
    static func make(user: String?, isUserMode: Bool) -> SpecifierContext {
        var context = SpecifierContext()
        context.hostname = try? Machine.hostname()
        context.machineID = Machine.machineID()
        context.bootID = (try? Machine.bootID()).flatMap { ID128($0)?.description }
        context.kernelRelease = try? Machine.kernelRelease()
        context.architecture = architecture
        context.osRelease = variables("/etc/os-release") ?? variables("/usr/lib/os-release") ?? [:]
        context.prettyHostname = variables("/etc/machine-info")?["PRETTY_HOSTNAME"] ?? context.hostname
        let account = user.map { Users.account($0) } ?? Users.account(uid: getuid())
        context.user = account?.name ?? user
        context.uid = account?.uid ?? user.flatMap { UInt32($0) }
        context.gid = account?.gid
        context.group = account.map { Users.groupName($0.gid) ?? String($0.gid) }
        context.home = account?.home
        context.shell = account?.shell
        if isUserMode {
            let home = Environment["HOME"] ?? account?.home ?? "/"
            context.runtimeDirectory = Environment["XDG_RUNTIME_DIR"] ?? "/run/user/\(getuid())"
            context.stateDirectory = Environment["XDG_STATE_HOME"] ?? home + "/.local/state"
            context.cacheDirectory = Environment["XDG_CACHE_HOME"] ?? home + "/.cache"
            context.configurationDirectory = Environment["XDG_CONFIG_HOME"] ?? home + "/.config"
            context.logsDirectory = (context.stateDirectory ?? home) + "/log"
        } else {
            context.runtimeDirectory = "/run"
            context.stateDirectory = "/var/lib"
            context.cacheDirectory = "/var/cache"
            context.configurationDirectory = "/etc"
            context.logsDirectory = "/var/log"
        }
        return context
    }

    /// systemd's words where they differ from uname's (systemd.unit(5), ConditionArchitecture=).
    private static var architecture: String? {
        var name = utsname()
        guard uname(&name) == 0 else { return nil }
        let machine = withUnsafeBytes(of: name.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return switch machine {
        case "x86_64": "x86-64"
        case "aarch64": "arm64"
        case "i386", "i486", "i586", "i686": "x86"
        default: machine
        }
    }

    private static func variables(_ path: String) -> [String: String]? {
        guard let bytes = SmallFile.bytes(path), let list = try? Value.environmentFile(bytes) else { return nil }
        return Dictionary(list.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }
}
