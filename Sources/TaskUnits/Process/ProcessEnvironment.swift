public import TaskModel

/// The environment that an attempt's script starts with: exactly what is listed here, nothing of the supervisor's own.
///
/// Later wins: the system's defaults (PATH, LANG, HOME, USER, LOGNAME, SHELL), `PassEnvironment=`, `Environment=`,
/// `EnvironmentFile=` (systemd.exec(5)); then faf's own variables, which nothing replaces.
public enum ProcessEnvironment {
    /// As systemd has it on systems with and without a merged /usr.
    public static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Variables that are faf's to set; a value from anywhere else is dropped, with a warning if
    /// it stands in the unit.
    public static let reserved: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "FAF_TASK", "FAF_RUN", "FAF_ATTEMPT",
        "FAF_SOCKET", "FAF_SCRIPT", "FAF_INPUT", "FAF_RESULT", "CREDENTIALS_DIRECTORY",
    ]

    /// `NAME=value` each.
    ///
    /// - Parameters:
    ///   - socketPath: where the supervisor listens (`FAF_SOCKET`).
    ///   - passed: the supervisor's own environment. Only the names in `PassEnvironment=` are taken from it, and LANG,
    ///     which systemd hands to services from locale.conf(5).
    ///   - files: what is in the files of `EnvironmentFile=`, in their order.
    public static func build(
        run: Run, attempt: Attempt, directories: Directories, socketPath: String, passed: [String: String],
        files: [[(name: String, value: String)]]
    ) -> [String] {
        var variables = Variables()
        let identity = run.identity
        variables.set("PATH", path)
        variables.set("LANG", passed["LANG"] ?? "C.UTF-8")
        variables.setUnlessEmpty("HOME", identity.home)
        variables.setUnlessEmpty("USER", identity.userName)
        variables.setUnlessEmpty("LOGNAME", identity.userName)
        variables.setUnlessEmpty("SHELL", identity.shell)
        for name in run.settings.passEnvironment {
            if let value = passed[name] { variables.set(name, value) }
        }
        for assignment in run.settings.environment {
            // By bytes: a combining mark behind the sign would make another Character of it.
            guard let equals = assignment.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
            variables.set(String(assignment[..<equals]), String(assignment[assignment.utf8.index(after: equals)...]))
        }
        for file in files {
            for (name, value) in file { variables.set(name, value) }
        }
        for name in reserved { variables.remove(name) }

        let io = directories.inputAndResult(of: run.id, attempt: attempt.number)
        if run.settings.notifyAccess != .none {
            variables.set("NOTIFY_SOCKET", "\(directories.notifySockets)/\(attempt.invocation)")
        }
        if run.settings.sandbox.hasCredentials { variables.set("CREDENTIALS_DIRECTORY", directories.credentials) }
        // WATCHDOG_PID is added by the shim, which knows it.
        if let span = run.settings.watchdogMicroseconds { variables.set("WATCHDOG_USEC", String(span)) }
        variables.set("INVOCATION_ID", attempt.invocation.description)
        variables.set("FAF_TASK", run.task)
        variables.set("FAF_RUN", run.id.description)
        variables.set("FAF_ATTEMPT", String(attempt.number))
        variables.set("FAF_SOCKET", socketPath)
        variables.set("FAF_SCRIPT", run.script.configuredPath)
        variables.set("FAF_INPUT", io + "/input")
        variables.set("FAF_RESULT", io + "/result")
        if let trigger = run.trigger { variables.set(trigger) }
        return variables.list
    }
}

/// Variables in the order of their first setting; a later value takes the place of the earlier one.
private struct Variables {
    private var order: [String] = []
    private var values: [String: String] = [:]

    mutating func set(_ name: String, _ value: String) {
        if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }

    /// As systemd.exec(5) has them for units of `OnFailure=` and `OnSuccess=`, and the numbers that faf has beside.
    mutating func set(_ trigger: RunTrigger) {
        set("MONITOR_SERVICE_RESULT", trigger.result.rawValue)
        switch trigger.exit {
        case .exited(let code):
            set("MONITOR_EXIT_CODE", "exited")
            set("MONITOR_EXIT_STATUS", String(code))
        case .signaled(let signal, let dumped):
            let name = Value.signalName(signal)
            set("MONITOR_EXIT_CODE", dumped ? "dumped" : "killed")
            set("MONITOR_EXIT_STATUS", name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name)
        case .notStarted, .unknown, nil: break
        }
        if let invocation = trigger.invocation { set("MONITOR_INVOCATION_ID", invocation.description) }
        set("MONITOR_UNIT", trigger.task + UnitName.suffix)
        set("FAF_MONITOR_RUN", trigger.run.description)
        if let attempt = trigger.attempt { set("FAF_MONITOR_ATTEMPT", String(attempt)) }
    }

    mutating func setUnlessEmpty(_ name: String, _ value: String) {
        if !value.isEmpty { set(name, value) }
    }

    mutating func remove(_ name: String) {
        if values.removeValue(forKey: name) != nil { order.removeAll { $0 == name } }
    }

    var list: [String] { order.compactMap { name in values[name].map { "\(name)=\($0)" } } }
}
