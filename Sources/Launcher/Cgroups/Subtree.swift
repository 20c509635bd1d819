internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import TaskModel

/// The cgroups of the tasks: `hold/`, `shims/` with every shim, `t/RUN.ATTEMPT` with an attempt's processes.
final class Subtree: Sendable {
    private enum Root {
        /// Made by faf-tasks.service, which says where.
        case delegated(String)
        case own(String)
        /// systemd runs here and faf-tasks.service has not been started: nothing is launched outside of it.
        case awaited
        /// There are no cgroups here, PDEATHSIG and the subreaper stand in.
        case none
    }

    private let directories: Directories
    let mount: CgroupMount?
    private let state: Mutex<Root>

    private init(_ directories: Directories, _ mount: CgroupMount?, _ root: Root) {
        self.directories = directories
        self.mount = mount
        state = Mutex(root)
    }

    /// Absolute path; `nil`: none.
    var root: String? {
        switch state.withLock({ $0 }) {
        case .delegated(let path), .own(let path): path
        case .awaited, .none: nil
        }
    }

    /// Whether faf-tasks.service is responsible.
    var isDelegated: Bool {
        switch state.withLock({ $0 }) {
        case .delegated, .awaited: true
        case .own, .none: false
        }
    }

    static func find(_ directories: Directories, logger: Logger) throws(LauncherError) -> Subtree {
        let mount: CgroupMount?
        do { mount = try CgroupMount.find() } catch { throw .system(error) }
        guard let mount else {
            logger.warning("no cgroup v2 hierarchy: descendants of a killed shim cannot be found")
            return Subtree(directories, nil, .none)
        }
        if let delegated = try delegatedRoot(directories, mount) {
            return Subtree(directories, mount, .delegated(delegated))
        }
        // sd_booted(3): on such a machine the hierarchy is systemd's, but for what it delegates.
        if directories.tasksCgroup == Directories.system.tasksCgroup, OwnProcess.uid == 0,
            (try? FileStatus.of(path: "/run/systemd/system")) ?? nil != nil
        {
            logger.warning("faf-tasks.service has not been started: nothing can be launched until it is")
            return Subtree(directories, mount, .awaited)
        }
        do {
            if let own = try ownRoot(directories, mount) {
                try make(own, above: mount.point)
                return Subtree(directories, mount, .own(own))
            }
            logger.warning("no cgroup that this user may write: descendants of a killed shim cannot be found")
        } catch {
            logger.warning(
                "the tasks' cgroups cannot be made: descendants of a killed shim cannot be found",
                metadata: ["error": "\(error)"])
        }
        return Subtree(directories, mount, .none)
    }

    /// Before each launch: faf-tasks.service may have been started meanwhile.
    func look() throws(LaunchFailure) {
        guard case .awaited = state.withLock({ $0 }) else { return }
        try lookAgain()
        if case .awaited = state.withLock({ $0 }) {
            throw .step("cgroup", errno: ErrorNumber.notFound, isDelegated: true)
        }
    }

    /// Why nothing can be launched now, as far as it can be told without trying: faf-tasks.service is not there.
    func refusal() -> LaunchFailure? {
        do throws(LaunchFailure) {
            try look()
            guard isDelegated else { return nil }
            if isStopping { return .step("cgroup", errno: ErrorNumber.again, isDelegated: true, isStopping: true) }
            try lookAgain()
            guard let root, try exists(root + "/t") else {
                return .step("cgroup", errno: ErrorNumber.notFound, isDelegated: true)
            }
            return nil
        } catch {
            return error
        }
    }

    private func exists(_ path: String) throws(LaunchFailure) -> Bool {
        do { return try FileStatus.of(path: path) != nil } catch {
            throw .step("cgroup", errno: error.errno, isDelegated: true)
        }
    }

    private func lookAgain() throws(LaunchFailure) {
        guard let mount else { return }
        do {
            if let path = try Subtree.delegatedRoot(directories, mount) { state.withLock { $0 = .delegated(path) } }
        } catch {
            throw LaunchFailure(
                step: "cgroup", errno: ErrorNumber.invalid, message: "the tasks' cgroup is not known: \(error)",
                remedy: "systemctl restart faf-tasks.service")
        }
    }

    private static func delegatedRoot(_ directories: Directories, _ mount: CgroupMount) throws(LauncherError) -> String?
    {
        let bytes: [UInt8]?
        do { bytes = try Files.read(directories.tasksCgroup, limit: 4096) } catch { throw .system(error) }
        guard let bytes else { return nil }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard text.hasPrefix(mount.point + "/"), !text.split(separator: "/").contains(".."), !text.utf8.contains(0)
        else {
            throw .badTasksFile(directories.tasksCgroup, content: text)
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// Named after the state directory, so that two supervisors on one machine do not meet.
    private static func ownRoot(_ directories: Directories, _ mount: CgroupMount) throws(SystemError) -> String? {
        guard let state = try FileStatus.of(path: directories.state) else { return nil }
        let name = "faf-\(state.device)-\(state.inode)"
        if OwnProcess.uid == 0 { return "\(mount.point)/\(name)" }
        // CLONE_INTO_CGROUP asks for the right to write cgroup.procs of the nearest common ancestor.
        guard let own = try mount.ownCgroup(), Files.isWritable(own), Files.isWritable(own + "/cgroup.procs") else {
            return nil
        }
        return "\(own)/\(name)"
    }

    private static func make(_ root: String, above mount: String) throws(SystemError) {
        let top = Cgroup(path: root)
        try top.make()
        for name in ["hold", "shims", "t"] { try top.child(name).make() }
        if OwnProcess.uid == 0 {
            // As far as it goes: a cgroup that has processes of its own may not hand controllers down.
            let controllers = ["memory", "cpu", "io", "pids", "cpuset"]
            _ = Cgroup(path: mount).enableControllers(controllers)
            _ = top.enableControllers(controllers)
            _ = top.child("t").enableControllers(controllers)
        }
    }

    /// The tasks' unit is being stopped: `faf-shim --stop-all` lets no attempt have a cgroup any more.
    var isStopping: Bool {
        guard isDelegated, let root else { return false }
        return ((try? Files.read(root + "/t/cgroup.max.descendants", limit: 64)) ?? nil) == Array("0\n".utf8)
    }

    /// A descriptor of `shims/`, for a new mother; `nil`: no cgroups here.
    func openShims() throws(LaunchFailure) -> OwnedDescriptor? {
        if isDelegated { try lookAgain() }  // the unit may have moved since the last mother was started
        guard let root, let mount else { return nil }
        do {
            if !isDelegated { try Subtree.make(root, above: mount.point) }
            let shims = Cgroup(path: root).child("shims")
            // A new one, if nobody is in it: once cgroup.kill was used on a cgroup (by systemctl kill, say), newer kernels
            // kill whatever is cloned out of it (see fafd_spawn in CLinux), and the scripts are.
            if !isStopping, (try? shims.remove()) != nil { try shims.make() }
            return try shims.open()
        } catch {
            throw .step("cgroup", errno: error.errno, isDelegated: isDelegated)
        }
    }

    /// The cgroup that an attempt gets.
    func path(run: RunID, attempt: Int) -> String? { root.map { "\($0)/t/\(run).\(attempt)" } }

    /// The cgroup that an attempt has: the recorded one if that is one of ours for this attempt (the tasks' unit may lie
    /// elsewhere by now), else where this launcher would have put it.
    func cgroup(run: RunID, attempt: Int, recorded: String?) -> Cgroup? {
        if let recorded, let mount, recorded.hasPrefix(mount.point + "/"), recorded.hasSuffix("/t/\(run).\(attempt)"),
            !recorded.split(separator: "/").contains(".."), !recorded.utf8.contains(0)
        {
            return Cgroup(path: recorded)
        }
        return path(run: run, attempt: attempt).map { Cgroup(path: $0) }
    }
}
