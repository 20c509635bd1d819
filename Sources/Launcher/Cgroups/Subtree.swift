internal import LinuxSystem
internal import Logging
internal import ShimProtocol
internal import TaskModel

/// The cgroups of the tasks: `hold/`, `shims/` with every shim, `t/RUN.ATTEMPT` with an attempt's processes.
struct Subtree: Sendable {
    /// Absolute path; `nil`: there are no cgroups here, PDEATHSIG and the subreaper stand in.
    let root: String?
    /// Made by faf-tasks.service, which says where.
    let isDelegated: Bool
    /// The hierarchy's mount point.
    let mount: String?

    static func find(_ directories: Directories, logger: Logger) throws(LauncherError) -> Subtree {
        let mount: CgroupMount?
        do { mount = try CgroupMount.find() } catch { throw .system(error) }
        guard let mount else {
            logger.warning("no cgroup v2 hierarchy: descendants of a killed shim cannot be found")
            return Subtree(root: nil, isDelegated: false, mount: nil)
        }
        if let delegated = try delegatedRoot(directories, mount) {
            return Subtree(root: delegated, isDelegated: true, mount: mount.point)
        }
        do {
            if let own = try ownRoot(directories, mount) {
                let subtree = Subtree(root: own, isDelegated: false, mount: mount.point)
                try subtree.make(above: mount.point)
                return subtree
            }
            logger.warning("no cgroup that this user may write: descendants of a killed shim cannot be found")
        } catch {
            logger.warning(
                "the tasks' cgroups cannot be made: descendants of a killed shim cannot be found",
                metadata: ["error": "\(error)"])
        }
        return Subtree(root: nil, isDelegated: false, mount: mount.point)
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

    private func make(above mount: String) throws(SystemError) {
        guard let root else { return }
        let top = Cgroup(path: root)
        try top.make()
        for name in ["hold", "shims", "t"] { try top.child(name).make() }
        if OwnProcess.uid == 0 {
            // As far as it goes: a cgroup that has processes of its own may not hand controllers down.
            let controllers = ["memory", "cpu", "io", "pids"]
            _ = Cgroup(path: mount).enableControllers(controllers)
            _ = top.enableControllers(controllers)
            _ = top.child("t").enableControllers(controllers)
        }
    }

    /// A descriptor of `shims/`, for the mother; `nil`: no cgroups here.
    func openShims() throws(LaunchFailure) -> OwnedDescriptor? {
        guard let root, let mount else { return nil }
        do {
            if !isDelegated { try make(above: mount) }
            return try Cgroup(path: root).child("shims").open()
        } catch {
            throw .step("cgroup", errno: error.errno, isDelegated: isDelegated)
        }
    }

    /// The cgroup that an attempt gets.
    func path(run: RunID, attempt: Int) -> String? { root.map { "\($0)/t/\(run).\(attempt)" } }

    /// The cgroup that an attempt has: the recorded one if that is one of ours for this attempt (the tasks' unit may lie
    /// elsewhere by now), else where this launcher would have put it.
    func cgroup(run: RunID, attempt: Int, recorded: String?) -> Cgroup? {
        if let recorded, let mount, recorded.hasPrefix(mount + "/"), recorded.hasSuffix("/t/\(run).\(attempt)"),
            !recorded.split(separator: "/").contains(".."), !recorded.utf8.contains(0)
        {
            return Cgroup(path: recorded)
        }
        return path(run: run, attempt: attempt).map { Cgroup(path: $0) }
    }
}
