import Glibc
import TaskHost
import TaskModel

/// What specifiers stand for on this machine, looked up without fafd.
enum LocalContext {
    /// Where fafd keeps what; `nil`: nothing says where the caller's own has its directories.
    static func directories(isUserMode: Bool) -> Directories? {
        isUserMode ? Directories.user(uid: getuid(), environment: Environment.all) : Directories.system
    }

    /// - Parameter isUserMode: the directories are those of the caller's own fafd.
    static func make(isUserMode: Bool) -> HostContext {
        var environment: [String: String] = [:]
        for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
            environment[name] = Environment[name]
        }
        return HostContext(environment: environment, isUserMode: isUserMode) { name in
            let account = name.map { Users.account($0) } ?? Users.account(uid: getuid())
            return account.map {
                HostContext.User(
                    name: $0.name, uid: $0.uid, gid: $0.gid, groupName: Users.groupName($0.gid) ?? String($0.gid),
                    home: $0.home, shell: $0.shell)
            }
        }
    }
}
