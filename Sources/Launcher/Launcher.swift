internal import LinuxSystem
public import Logging
internal import ShimProtocol
public import TaskModel

/// fafd's side of everything about shims: it has them made, finds them again, reads what they write, asks them to stop,
/// and removes what they leave.
///
/// Launching and adopting are one path: a launcher is never a shim's parent and knows it by record, lock and pidfd alone,
/// exactly as its successor will. All methods may be called from any thread and task.
public final class Launcher: Sendable {
    let directories: Directories
    let changesUser: Bool
    let logger: Logger
    let boot: BootID
    let subtree: Subtree
    let files: RecordFiles
    let loop: EventLoop
    let queue: EventQueue
    let watches: Watches
    let mothers: Mothers
    let cleaner: Cleaner
    let temporaries: Temporaries
    let launched = LaunchedNames()

    /// Opens `faf-shim` once, so that an upgrade cannot mix versions; makes the runtime directories and, without
    /// faf-tasks.service, the tasks' cgroups. Starts no process yet.
    ///
    /// - Parameters:
    ///   - shimPath: where `faf-shim` is.
    ///   - changesUser: the supervisor is root's and runs tasks as their users.
    public init(
        directories: Directories, shimPath: String, changesUser: Bool, logger: Logger
    ) throws(LauncherError) {
        self.directories = directories
        self.changesUser = changesUser
        self.logger = logger
        files = RecordFiles(directories: directories)
        let program = try Launcher.open(shim: shimPath)
        try RuntimeDirectories.make(directories, isShared: changesUser)
        subtree = try Subtree.find(directories, logger: logger)
        queue = EventQueue()
        do throws(SystemError) {
            guard let boot = BootID(try Machine.bootID()) else {
                throw SystemError(call: "read", path: "/proc/sys/kernel/random/boot_id", errno: ErrorNumber.protocol)
            }
            self.boot = boot
            guard let state = try FileStatus.of(path: directories.state) else {
                throw SystemError(call: "stat", path: directories.state, errno: ErrorNumber.notFound)
            }
            temporaries = Temporaries(state: state)
            loop = try EventLoop()
        } catch {
            throw .system(error)
        }
        do {
            cleaner = try Cleaner(launched: launched, logger: logger)
        } catch {
            loop.stop()
            throw .system(error)
        }
        do {
            watches = try Watches(records: directories.records, loop: loop, queue: queue, logger: logger)
        } catch {
            loop.stop()
            cleaner.stop()
            throw .system(error)
        }
        mothers = Mothers(program: program, subtree: subtree, loop: loop, logger: logger)
    }

    deinit { shutDown() }

    /// The tasks' cgroups; `nil`: none here, PDEATHSIG and the subreaper stand in.
    public var cgroupRoot: String? { subtree.root }

    /// What has happened to attempts that are watched since the last call, or happens next; `nil` after the end, or when
    /// the task is cancelled. One consumer. What waits does not grow with what a task says.
    public func nextEvents() async -> [LauncherEvent]? { await queue.next() }

    /// Keeps the launcher at work until the task is cancelled; then the mother leaves, no attempt notices, and the events
    /// end.
    public func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(3600))
        }
        shutDown()
    }

    private static func open(shim path: String) throws(LauncherError) -> OwnedDescriptor {
        do throws(SystemError) {
            let program = try Files.open(path, .pathOnly)
            guard try program.status().kind == .regular else {
                throw SystemError(call: "open", path: path, errno: ErrorNumber.access)
            }
            return program
        } catch {
            throw .shim(error)
        }
    }

    private func shutDown() {
        mothers.end()
        loop.stop()
        cleaner.stop()
        queue.finish()
    }
}
