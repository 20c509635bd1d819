import FafAPI
import LinuxSystem

/// What can be said of this machine and its fafd. Pure but for `look`, which is how files are looked at.
struct Examination {
    /// What was learned by asking and looking.
    struct Facts {
        /// `nil`: fafd does not answer, and why.
        var info: Wire.GetInfo.Reply?
        var failure: (message: String, remedy: String)?
        /// `nil`: they could not be asked for; `failure` tells why.
        var tasks: [Wire.TaskInfo]?
        var socket: String
        /// As `uname -r`.
        var kernel: String
        var hasJournal: Bool
        /// Whoever may own units beside root: in user mode the caller.
        var owner: UInt32
    }

    enum Look {
        case there(FileStatus)
        case nothing
        /// The caller may not, or cannot, look.
        case unknown(String)
    }

    var facts: Facts
    /// stat(2).
    var look: (String) -> Look

    var findings: [Finding] {
        supervisor + [kernel] + cgroups + protections + [journal] + unitDirectories + units
    }

    // MARK: The supervisor

    private var supervisor: [Finding] {
        guard let info = facts.info else {
            let failure = facts.failure ?? ("no fafd answers at \(facts.socket)", "")
            return [Finding(.bad, "fafd", failure.message, remedy: failure.remedy)] + socket
        }
        var findings = [Finding(.ok, "fafd", "\(info.version) answers (\(info.mode), process \(info.pid))")]
        if info.version != Version.current {
            findings.append(
                Finding(
                    .weak, "version", "fafd is \(info.version), this faf is \(Version.current)",
                    remedy: "systemctl restart fafd; no task notices"))
        }
        return findings + socket
    }

    private var socket: [Finding] {
        let status: FileStatus
        switch look(facts.socket) {
        case .there(let found): status = found
        case .nothing:
            return [
                Finding(.bad, "socket", "there is nothing at \(facts.socket)", remedy: "start fafd.socket, or fafd")
            ]
        case .unknown(let why): return [Self.unseen("socket", facts.socket, why)]
        }
        guard status.kind == .socket else {
            return [Finding(.bad, "socket", "\(facts.socket) is no socket", remedy: "remove it and start fafd")]
        }
        let mode = String(status.permissions, radix: 8)
        if facts.info?.mode == "system", status.permissions & 0o006 != 0o006 {
            return [
                Finding(
                    .weak, "socket", "\(facts.socket) has mode \(mode): others than root cannot fire",
                    remedy: "SocketMode=0666 in fafd.socket; units say who may fire what")
            ]
        }
        return [Finding(.ok, "socket", "\(facts.socket), mode \(mode)")]
    }

    // MARK: The kernel

    private var kernel: Finding {
        let parts = facts.kernel.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard parts.count == 2 else { return Finding(.weak, "kernel", "\(facts.kernel): no version that is known") }
        let number = (parts[0], parts[1])
        if number < (5, 9) {
            return Finding(
                .bad, "kernel", "\(facts.kernel) has no close_range(2), or cannot start a process in a cgroup",
                remedy: "Linux 5.9 or later")
        }
        return Finding(.ok, "kernel", "\(facts.kernel): pidfds, processes are started in their cgroup")
    }

    private var cgroups: [Finding] {
        guard let tasks = facts.info?.tasks else {
            // fafd tells of it as a protection that is missing, and without a subtree there is nothing to look at.
            return []
        }
        var findings = [Finding(.ok, "cgroup", "each attempt has its own below \(tasks)/t")]
        let files = [
            (
                Finding(.ok, "cgroup.kill", "all processes of a run are killed at once"),
                Finding(
                    .weak, "cgroup.kill", "processes are killed one by one, frozen meanwhile",
                    remedy: "Linux 5.14 or later"), "cgroup.kill"
            ),
            (
                Finding(.ok, "cgroup.freeze", "faf freeze works"),
                Finding(.bad, "cgroup.freeze", "faf freeze does nothing", remedy: "Linux 5.2 or later"),
                "cgroup.freeze"
            ),
            (
                Finding(.ok, "pressure", "PressureAbove= is enforced"),
                Finding(
                    .weak, "pressure", "the kernel does not tell pressure (PSI): PressureAbove= is never exceeded",
                    remedy: "boot with psi=1"), "memory.pressure"
            ),
        ]
        for (good, lacking, name) in files {
            let path = tasks + "/t/" + name
            switch look(path) {
            case .there: findings.append(good)
            case .nothing: findings.append(lacking)
            case .unknown(let why): findings.append(Self.unseen(good.what, path, why))
            }
        }
        return findings
    }

    private static func unseen(_ what: String, _ path: String, _ why: String) -> Finding {
        Finding(.weak, what, "\(path) cannot be looked at: \(why)", remedy: "ask as root")
    }

    // MARK: Protections

    /// What fafd says is missing here, and of what it would say so, what is not.
    private var protections: [Finding] {
        guard let info = facts.info else { return [] }
        var given = [
            ("sandbox", "ProtectSystem=, PrivateTmp=, LoadCredential= and the like are enforced"),
            ("oom-protection", "shims are protected from the kernel's OOM killer"),
            ("process-io", "SilenceSec= sees what a task writes"),
        ]
        if info.tasks != nil {
            given =
                [
                    ("memory-controller", "MemoryMax= and the like are enforced"),
                    ("cpu-controller", "CPUQuota= and CPUWeight= are enforced"),
                    ("io-controller", "IOWeight= is enforced"),
                    ("pids-controller", "TasksMax= is enforced"),
                    ("cpuset-controller", "AllowedCPUs= is enforced"),
                ] + given
        }
        let missing = info.missing.map { Finding(.weak, $0.kind, $0.text, remedy: $0.remedy ?? "") }
        return missing
            + given.filter { kind, _ in !info.missing.contains { $0.kind == kind } }.map { Finding(.ok, $0.0, $0.1) }
    }

    private var journal: Finding {
        if facts.info?.mode == "user" {
            return Finding(.ok, "journal", "output goes to files, unless a unit says StandardOutput=journal")
        }
        return facts.hasJournal
            ? Finding(.ok, "journal", "output goes to the journal")
            : Finding(
                .weak, "journal", "there is no journald: output goes to files, which do not tell times",
                remedy: "start systemd-journald")
    }

    // MARK: Units

    private var unitDirectories: [Finding] {
        guard let directories = facts.info?.units else { return [] }
        let looks = directories.map { ($0, look($0)) }
        if looks.allSatisfy({ if case .nothing = $0.1 { true } else { false } }) {
            return [
                Finding(
                    .weak, "units", "there is no directory with units: \(directories.joined(separator: ", "))",
                    remedy: "make \(directories.first ?? "one"), owned by root, mode 755")
            ]
        }
        return looks.compactMap { path, look in
            let status: FileStatus
            switch look {
            case .there(let found): status = found
            case .nothing: return nil
            case .unknown(let why): return Self.unseen("units", path, why)
            }
            let mode = String(status.permissions, radix: 8)
            guard status.kind == .directory else {
                return Finding(.bad, "units", "\(path) is no directory", remedy: "remove it, or put a directory there")
            }
            if status.uid != 0 && status.uid != facts.owner {
                return Finding(
                    .bad, "units", "\(path) belongs to uid \(status.uid), so its units are not followed",
                    remedy: "chown root \(path)")
            }
            if status.isWritableByOthers {
                return Finding(
                    .bad, "units", "\(path) has mode \(mode): others may write it, so its units are not followed",
                    remedy: "chmod go-w \(path)")
            }
            return Finding(.ok, "units", "\(path), owned by uid \(status.uid), mode \(mode)")
        }
    }

    private var units: [Finding] {
        guard facts.info != nil else { return [] }
        guard let tasks = facts.tasks else {
            let why = facts.failure ?? ("fafd does not tell of them", "ask again")
            return [Finding(.bad, "unit", "whether units can be used is not known: \(why.message)", remedy: why.remedy)]
        }
        let unusable = tasks.filter { $0.loadState == "bad-setting" }
        let bad = unusable.map { task in
            let errors = task.problems.filter { $0.severity == "error" }
            let first = errors.first.map { ": \($0.message)" } ?? ""
            let more = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
            return Finding(
                .bad, "unit", "\(task.name) cannot be fired\(first)\(more)", remedy: "faf verify \(task.path)")
        }
        let usable = tasks.count - unusable.count
        if tasks.isEmpty { return [Finding(.ok, "unit", "there are none yet")] }
        return bad + [Finding(.ok, "unit", "\(usable) of \(tasks.count) can be used")]
    }
}
