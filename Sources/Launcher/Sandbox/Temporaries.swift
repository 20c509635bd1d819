internal import LinuxSystem
internal import Logging
internal import TaskModel

/// The directories behind PrivateTmp=yes, one below /tmp and one below /var/tmp for an attempt: made by its shim, for
/// root alone; inside them is `tmp`, which the script sees. Removed when the attempt is cleaned.
///
/// Their names tell whose they are, so that those of a crash are found and other supervisors' are left alone.
struct Temporaries: Sendable {
    static let parents = ["/tmp", "/var/tmp"]

    private let prefix: String

    init(state: FileStatus) { prefix = "faf-private-\(state.device)-\(state.inode)-" }

    /// What a script sees there, and the directory that it is.
    func mounts(of id: InvocationID) throws(SystemError) -> [(path: String, directory: String)] {
        var mounts: [(path: String, directory: String)] = []
        for parent in Self.parents {
            guard let real = try Files.realPath(parent) else {
                throw SystemError(call: "realpath", path: parent, errno: ErrorNumber.notFound)
            }
            mounts.append((parent, "\(real)/\(prefix)\(id)/tmp"))
        }
        return mounts
    }

    /// What is to be removed with an attempt.
    func trees(of id: InvocationID) -> [String] { Self.parents.map { "\($0)/\(prefix)\(id)" } }

    /// The attempts that have left some.
    func found() -> Set<InvocationID> {
        var found: Set<InvocationID> = []
        for parent in Self.parents {
            for name in (try? Files.list(parent)) ?? [] where name.hasPrefix(prefix) {
                if let id = RecordName.exact(String(name.dropFirst(prefix.count))) { found.insert(id) }
            }
        }
        return found
    }
}

extension Launcher {
    /// Removes the private temporary directories of attempts that have no live record, where a crash has left them.
    public func cleanStrayTemporaries() {
        guard changesUser else { return }
        // Listed before the records: a shim makes its record first.
        for id in temporaries.found() {
            if case .nothing = files.readRecord(id) { cleaner.remove(trees: temporaries.trees(of: id)) }
        }
    }
}
