import TaskModel

extension SettingTable {
    /// [Task]: how long, how it is stopped, what counts as success.
    static let stopping: [Setting] = timeouts + killing

    private static let timeouts: [Setting] = [
        .custom(
            "Task", "TimeoutStartSec", .timeSpan, default: "infinity; with Type=notify 1min 30s",
            "How long the script may take until it is running (until READY=1). 0 is infinity.",
            apply: { draft, text, _ throws(ValueError) in draft.timeoutStart = try span(text) },
            reset: { $0.timeoutStart = nil }, show: { SettingText.timeSpan($0.effectiveTimeoutStart) }),

        .one(
            "Task", "TimeoutStopSec", .timeSpan, \.timeoutStop,
            "How long the processes may take to end after KillSignal=, before they are killed. 0 is infinity.",
            show: SettingText.timeSpan
        ) { text, _ throws(ValueError) in try span(text) },

        .custom(
            "Task", "TimeoutSec", .timeSpan, sets: ["TimeoutStartSec", "TimeoutStopSec"],
            "Sets TimeoutStartSec= and TimeoutStopSec=.",
            apply: { draft, text, _ throws(ValueError) in
                let value = try span(text)
                draft.timeoutStart = value
                draft.settings.timeoutStop = value
            },
            reset: { draft in
                draft.timeoutStart = nil
                draft.settings.timeoutStop = SettingsDraft().settings.timeoutStop
            }, show: { _ in "" }),
    ]

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
            "Task", "KillSignal", .signal, \.killSignal, "The signal that asks the processes to end.",
            show: Value.signalName
        ) { text, _ throws(ValueError) in try Value.signal(text) },

        .one(
            "Task", "SendSIGKILL", .boolean, \.sendSIGKILL, "Kill what is left after TimeoutStopSec=.",
            show: SettingText.boolean
        ) { text, _ throws(ValueError) in try Value.boolean(text) },

        .custom(
            "Task", "SuccessExitStatus", .exitStatuses, isList: true,
            "Exit codes and signals that count as success, beside exit code 0.",
            apply: { draft, text, _ throws(ValueError) in
                for word in try Value.words(text) {
                    switch try Value.exitStatus(word) {
                    case .code(let code): draft.settings.successExitStatus.codes.insert(code)
                    case .signal(let signal): draft.settings.successExitStatus.signals.insert(signal)
                    }
                }
            },
            reset: { $0.settings.successExitStatus = .init() }, show: { _ in "" }),
    ]

    private static func span(_ text: String) throws(ValueError) -> TimeSpan {
        try Value.timeSpan(text, zeroIsInfinity: true, defaultUnitMicroseconds: 1_000_000)
    }
}
