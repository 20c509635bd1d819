import LinuxSystem
import TaskModel

/// What this machine and this mode do not give; `faf status` names it, so that nothing is silently weaker.
enum MissingProtections {
    private static let controllers = [
        ("memory", "MemoryMax= or another limit of memory"), ("cpu", "CPUQuota= or CPUWeight="),
        ("io", "IOWeight="), ("pids", "TasksMax="), ("cpuset", "AllowedCPUs="),
    ]

    static func list(configuration: DaemonConfiguration, cgroupRoot: String?) -> [(kind: String, text: String)] {
        var missing: [(kind: String, text: String)] = []
        if let cgroupRoot {
            let there = controllers(cgroupRoot)
            for (name, what) in controllers where !there.contains(name) {
                missing.append(
                    (
                        "\(name)-controller",
                        "no \(name) controller below \(cgroupRoot): a task with \(what) is refused"
                    ))
            }
        } else {
            missing.append(
                (
                    "cgroup",
                    "no writable cgroup: a task's processes are found as descendants of its shim; those of a shim that "
                        + "was killed may go on"
                ))
        }
        if !canProtectFromOOM() {
            missing.append(
                (
                    "oom-protection",
                    "shims are not protected from the kernel's OOM killer: that needs CAP_SYS_RESOURCE, which "
                        + (configuration.isUserMode ? "root has" : "this container withholds")
                ))
        }
        if !canSeeOutput(isUserMode: configuration.isUserMode) {
            missing.append(
                (
                    "process-io",
                    "how much a task writes cannot be seen (/proc/PID/io): with SilenceSec= no task is taken for silent"
                ))
        }
        let confining: CapabilitySet = [.sysAdmin, .netAdmin, .setPCap]
        let mayConfine = CapabilitySet(rawValue: OwnProcess.capabilities()).isSuperset(of: confining)
        if configuration.isUserMode || !mayConfine {
            let needs = configuration.isUserMode ? "root" : confining.names.joined(separator: ", ")
            missing.append(
                (
                    "sandbox",
                    "tasks that ask for a sandbox (ProtectSystem=, PrivateTmp=, LoadCredential= and others) are refused: "
                        + "that needs \(needs)"
                ))
        }
        if configuration.isUserMode {
            missing.append(
                ("private-records", "a task runs as the same user as its supervisor and could change its own records"))
            missing.append(("other-users", "only uid \(OwnProcess.uid) is served"))
            if lingers() == false {
                missing.append(
                    ("linger", "systemd ends everything of this user at logout: loginctl enable-linger changes that"))
            }
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
