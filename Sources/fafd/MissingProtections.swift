import LinuxSystem

/// What this machine and this mode do not give; `faf status` names it, so that nothing is silently weaker.
enum MissingProtections {
    static func list(configuration: DaemonConfiguration, cgroupRoot: String?) -> [(kind: String, text: String)] {
        var missing: [(kind: String, text: String)] = []
        if let cgroupRoot {
            if !controllers(cgroupRoot).contains("memory") {
                missing.append(
                    (
                        "memory-controller",
                        "no memory controller below \(cgroupRoot): limits and peaks of memory are not available"
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
        if configuration.isUserMode {
            missing.append(
                ("oom-protection", "shims are not protected from the kernel's OOM killer: that needs root"))
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

    private static func controllers(_ cgroup: String) -> [String] {
        guard let bytes = (try? Files.read(cgroup + "/cgroup.controllers")) ?? nil else { return [] }
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
