import TaskModel

extension SettingTable {
    /// [Task]: how it is stopped, what counts as success.
    static let stopping: [Setting] = killing

    private static let killing: [Setting] = [
        .one(
            "Task", "KillMode", .choice(["control-group", "mixed", "process", "none"]), \.killMode,
            "Whom a stop reaches: all processes of the attempt; the main one, and the others once it has ended, with "
                + "SIGKILL; the main one alone; none. The run is over when nothing is left of it.",
            show: \.rawValue
        ) { text, _ throws(ValueError) in
            guard let mode = TaskSettings.KillMode(rawValue: text) else {
                throw ValueError(
                    message: "\(quoted(text)) is no kill mode", remedy: "write control-group, mixed, process or none")
            }
            return mode
        },

        .one(
            "Task", "KillSignal", .signal, \.killSignal,
            "The signal that asks the processes to end. SIGCONT always follows it.", show: Value.signalName
        ) { text, _ throws(ValueError) in try Value.signal(text) },

        .one(
            "Task", "RestartKillSignal", .signal, \.restartKillSignal,
            "The same, in place of KillSignal=, for a stop after which the run is started again. KillSignal= if unset.",
            show: { $0.map(Value.signalName) ?? "" }
        ) { text, _ throws(ValueError) in try Value.signal(text) },

        .one(
            "Task", "SendSIGHUP", .boolean, \.sendSIGHUP,
            "Send SIGHUP right after KillSignal=; not with the stop before a restart (MemoryAction=restart).",
            default: "no",
            show: { SettingText.boolean($0 ?? false) }
        ) { text, _ throws(ValueError) in try Value.boolean(text) },

        .one(
            "Task", "SendSIGKILL", .boolean, \.sendSIGKILL,
            "Send FinalKillSignal= to what is left after "
                + "TimeoutStopSec=. With `no` the run goes on until its processes end by themselves.",
            show: SettingText.boolean
        ) { text, _ throws(ValueError) in try Value.boolean(text) },

        .one(
            "Task", "FinalKillSignal", .signal, \.finalKillSignal,
            "The signal for what is left after TimeoutStopSec=; SIGQUIT or SIGABRT, with LimitCORE=, show where it hung. "
                + "What outlives it for as long again is killed with SIGKILL: nothing of a run is left behind.",
            default: "SIGKILL", show: { Value.signalName($0 ?? 9) }
        ) { text, _ throws(ValueError) in try Value.signal(text) },

        .one(
            "Task", "WatchdogSignal", .signal, \.watchdogSignal,
            "The signal, in place of KillSignal=, for a task that WatchdogSec= stops.", default: "SIGABRT",
            show: { Value.signalName($0 ?? 6) }
        ) { text, _ throws(ValueError) in try Value.signal(text) },

        .custom(
            "Task", "SuccessExitStatus", .exitStatuses, isList: true,
            "Exit codes and signals that count as success, beside exit code 0.",
            apply: { draft, text, _ throws(ValueError) in
                try draft.settings.successExitStatus.add(text)
            },
            reset: { $0.settings.successExitStatus = .init() }, show: { _ in "" }),
    ]
}
