public import LinuxSystem

/// Why a launcher cannot work here at all.
public enum LauncherError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `faf-shim` cannot be opened.
    case shim(SystemError)
    /// The addresses of notify sockets would not fit into sockaddr_un.
    case runtimePathTooLong(directory: String, longest: Int)
    /// A directory that others may write, or that belongs to somebody else.
    case unsafeDirectory(String, uid: UInt32, mode: UInt32)
    /// The file that names the tasks' cgroup names something else.
    case badTasksFile(String, content: String)
    case system(SystemError)

    public var description: String {
        switch self {
        case .shim(let error): "faf-shim cannot be used: \(error); reinstall faf"
        case .runtimePathTooLong(let directory, let longest):
            "\(directory) is too long a path: notify sockets below it would have more than "
                + "\(UnixSocket.maximumPathLength) bytes; use a directory of at most \(longest) bytes"
        case .unsafeDirectory(let path, let uid, let mode):
            "\(path) belongs to uid \(uid) with mode \(String(mode, radix: 8)): others could change what fafd keeps there; "
                + "chown it to fafd's user and chmod go-w it"
        case .badTasksFile(let path, let content):
            "\(path) says \"\(content.prefix(200))\", which is no cgroup of this system; restart faf-tasks.service"
        case .system(let error): error.description
        }
    }
}
