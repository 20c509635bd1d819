internal import LinuxSystem
internal import ShimProtocol
internal import TaskModel

extension Launcher {
    /// The unit's limits as the attempt's cgroup gets them. A limit that cannot be set here is no less a part of the task
    /// than its script: without it nothing is launched.
    func kernelLimits(_ task: TaskSettings) throws(LaunchFailure) -> KernelLimits.Files {
        let settings = task.resources
        if task.conditions.pressure.above != nil, subtree.pressure == nil {
            throw LaunchFailure(
                step: "cgroup-limit", errno: 0,
                message: "PressureAbove= cannot be looked at here: the kernel does not tell a cgroup's pressure",
                remedy: "boot with psi=1, or remove the line from the unit")
        }
        let wanted = KernelLimits(settings, memory: Machine.physicalMemory, tasks: Machine.tasksMax)
        var files = wanted.limits
        if let weight = wanted.ioWeight {
            let both = KernelLimits.ioFiles(weight)
            try subtree.require(both[0].controller, for: both[0].setting)
            let there = both.filter { subtree.hasFile($0.file) }
            if there.isEmpty { throw .noFile(both[0]) }
            files += there
        }
        if settings.oomPolicy == .stop { try subtree.require("memory", for: "OOMPolicy=") }
        for limit in wanted.limits {
            try subtree.require(limit.controller, for: limit.setting)
            if !subtree.hasFile(limit.file) { throw .noFile(limit) }
        }
        if let cpus = wanted.cpus, let available = subtree.availableCPUs(), !cpus.overlaps(available) {
            throw LaunchFailure(
                step: "cgroup-limit", errno: 0,
                message: "AllowedCPUs=\(cpus.text) leaves no CPU: the tasks have \(available.text)",
                remedy: "correct AllowedCPUs= in the unit")
        }
        return (files, wanted.stopsOutOfMemory)
    }
}

extension Subtree {
    /// The controllers that attempts' cgroups have.
    func controllers() -> Set<String> { words("/t/cgroup.subtree_control") }

    /// Throws unless attempts' cgroups have this controller. A subtree that an older version made may lack one that it
    /// could have.
    func require(_ controller: String, for setting: String) throws(LaunchFailure) {
        guard let root else { throw .noController(controller, setting, remedy: "run fafd where it may make cgroups") }
        if controllers().contains(controller) { return }
        _ = Cgroup(path: root).enableControllers([controller])
        _ = Cgroup(path: root).child("t").enableControllers([controller])
        if controllers().contains(controller) { return }
        throw .noController(controller, setting, remedy: remedy(controller))
    }

    /// Of a controller that is enabled: `t` has what its children have.
    func hasFile(_ name: String) -> Bool {
        guard let root else { return false }
        return (try? FileStatus.of(path: "\(root)/t/\(name)")) ?? nil != nil
    }

    /// Of all tasks together; `nil`: the kernel tells it of no cgroup.
    var pressure: UInt64? {
        root.flatMap { (try? Cgroup(path: $0).child("t").memoryPressure()) ?? nil }
    }

    /// `nil`: not known.
    func availableCPUs() -> CPUSet? {
        guard let root, let bytes = (try? Files.read("\(root)/t/cpuset.cpus.effective")) ?? nil else { return nil }
        return CPUSet(list: String(decoding: bytes, as: UTF8.self))
    }

    private func remedy(_ controller: String) -> String {
        if let mount, words(mount.point, "/cgroup.controllers").contains(controller) {
            return isDelegated
                ? "systemctl restart faf-tasks.service; it needs Delegate=\(controller)"
                : "have \(controller) delegated to fafd (Delegate= of its service)"
        }
        return "boot with systemd.unified_cgroup_hierarchy=1, so that the controller is in the cgroup v2 hierarchy"
    }

    private func words(_ file: String) -> Set<String> { root.map { words($0, file) } ?? [] }

    private func words(_ directory: String, _ file: String) -> Set<String> {
        let bytes = (try? Files.read(directory + file)) ?? nil
        return Set(String(decoding: bytes ?? [], as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init))
    }
}

extension CPUSet {
    /// As the kernel writes it: `0-3,5`.
    init?(list: String) {
        self.init()
        for part in list.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            let ends = part.split(separator: "-").compactMap { UInt16($0) }
            guard let first = ends.first, let last = ends.last, first <= last else { return nil }
            insert(first...last)
        }
        if ranges.isEmpty { return nil }
    }
}

extension LaunchFailure {
    fileprivate static func noController(_ controller: String, _ setting: String, remedy: String) -> LaunchFailure {
        LaunchFailure(
            step: "cgroup-limit", errno: 0,
            message: "\(setting) cannot be enforced here: attempts' cgroups have no \(controller) controller",
            remedy: "\(remedy); or remove the line from the unit")
    }

    fileprivate static func noFile(_ limit: KernelLimits.Limit) -> LaunchFailure {
        LaunchFailure(
            step: "cgroup-limit", errno: ErrorNumber.notFound,
            message: "\(limit.setting) cannot be enforced here: this kernel has no \(limit.file)",
            remedy: "remove the line from the unit, or boot a kernel that has it")
    }

    /// The file was there and did not take what it was given.
    static func refusedLimit(_ limit: KernelLimits.Limit, errno: Int32) -> LaunchFailure {
        LaunchFailure(
            step: "cgroup-limit", errno: errno,
            message: "\(limit.setting) was not taken: writing \(limit.value) into \(limit.file) failed: "
                + "\(SystemError.text(of: errno)) (\(SystemError.name(of: errno)))",
            remedy: "correct \(limit.setting) in the unit")
    }
}
