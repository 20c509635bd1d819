import FafServer
import LinuxSystem
import TaskModel

/// What this machine and this mode do not give; `faf status` names it, so that nothing is silently weaker.
enum MissingProtections {
    private static let controllers = [
        ("memory", "MemoryMax= or another limit of memory"), ("cpu", "CPUQuota= or CPUWeight="),
        ("io", "IOWeight="), ("pids", "TasksMax="), ("cpuset", "AllowedCPUs="),
    ]

    static func list(configuration: DaemonConfiguration, cgroupRoot: String?) -> [MissingProtection] {
        let isUserMode = configuration.isUserMode
        var missing: [MissingProtection] = []
        func add(_ kind: String, _ text: String, _ remedy: String) {
            missing.append(MissingProtection(kind: kind, text: text, remedy: remedy))
        }
        /// Where root alone has what it takes.
        func remedy(_ capabilities: CapabilitySet) -> String {
            isUserMode
                ? "fire it with the system's fafd" : "let fafd have \(capabilities.names.joined(separator: ", "))"
        }
        if let cgroupRoot {
            let there = controllers(cgroupRoot)
            for (name, what) in controllers where !there.contains(name) {
                add(
                    "\(name)-controller", "no \(name) controller below \(cgroupRoot): a task with \(what) is refused",
                    "boot with cgroup v2 alone (systemd.unified_cgroup_hierarchy=1), and let systemd delegate the subtree"
                )
            }
        } else {
            add(
                "cgroup",
                "no writable cgroup: a task's processes are found as descendants of its shim; those of a shim that "
                    + "was killed may go on",
                "start faf-tasks.service, which systemd delegates one to")
        }
        if !canProtectFromOOM() {
            add(
                "oom-protection",
                "shims are not protected from the kernel's OOM killer: that needs CAP_SYS_RESOURCE, which "
                    + (isUserMode ? "root has" : "this container withholds"),
                remedy([.sysResource]))
        }
        if !canSeeOutput(isUserMode: isUserMode) {
            add(
                "process-io",
                "how much a task writes cannot be seen (/proc/PID/io): with SilenceSec= no task is taken for silent",
                remedy([.sysPtrace]))
        }
        let confining: CapabilitySet = [.sysAdmin, .netAdmin, .setPCap]
        let mayConfine = CapabilitySet(rawValue: OwnProcess.capabilities()).isSuperset(of: confining)
        if isUserMode || !mayConfine {
            let needs = isUserMode ? "root" : confining.names.joined(separator: ", ")
            add(
                "sandbox",
                "tasks that ask for a sandbox (ProtectSystem=, PrivateTmp=, LoadCredential= and others) are refused: "
                    + "that needs \(needs)",
                remedy(confining))
        }
        guard isUserMode else { return missing }
        let system = "fire what must be kept apart with the system's fafd"
        add(
            "private-records", "a task runs as the same user as its supervisor and could change its own records",
            system)
        add("other-users", "only uid \(OwnProcess.uid) is served", system)
        if lingers() == false {
            add(
                "linger", "systemd ends everything of this user at logout: loginctl enable-linger changes that",
                "loginctl enable-linger")
        }
        return missing
    }

    /// Shims lower their oom_score_adj to -1000 (proc(5)), or inherit it.
    private static func canProtectFromOOM() -> Bool {
        if text("/proc/self/oom_score_adj").split(whereSeparator: \.isWhitespace) == ["-1000"] { return true }
        return OwnProcess.capabilities() & CapabilitySet.sysResource.rawValue != 0
    }

    /// Shims read /proc/PID/io of processes that run as somebody else (ptrace(2), PTRACE_MODE_READ_FSCREDS).
    private static func canSeeOutput(isUserMode: Bool) -> Bool {
        !text("/proc/self/io").isEmpty
            && (isUserMode || OwnProcess.capabilities() & CapabilitySet.sysPtrace.rawValue != 0)
    }

    private static func text(_ path: String) -> String {
        String(decoding: ((try? Files.read(path)) ?? nil) ?? [], as: UTF8.self)
    }

    private static func controllers(_ cgroup: String) -> [String] {
        guard let bytes = (try? Files.read(cgroup + "/t/cgroup.subtree_control")) ?? nil else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// `nil` where no logind runs.
    private static func lingers() -> Bool? {
        guard (try? FileStatus.of(path: "/run/systemd/system")) != nil,
            let name = Accounts.name(ofUser: OwnProcess.uid)
        else { return nil }
        return (try? FileStatus.of(path: "/var/lib/systemd/linger/\(name)")) != nil
    }
}
