import TaskModel

extension SettingTable {
    /// [Task]: how long it may take. All of it is measured on CLOCK_BOOTTIME, so setting the clock changes nothing.
    static let time: [Setting] = timeouts + limits

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

        .one(
            "Task", "TimeoutAbortSec", .timeSpan, \.timeoutAbort,
            "The same as TimeoutStopSec= after WatchdogSignal=, when a core dump may take its time. TimeoutStopSec= if "
                + "unset.", show: { $0.map(SettingText.timeSpan) ?? "" }
        ) { text, _ throws(ValueError) in try Value.timeSpan(text) },
    ]

    private static let limits: [Setting] = [
        .custom(
            "Task", "RuntimeMaxSec", .timeSpan, default: "infinity",
            "How long an attempt may run, from its start, with Type=notify from READY=1. The script may ask for more with "
                + "EXTEND_TIMEOUT_USEC=, as with the other limits of time.",
            apply: { draft, text, _ throws(ValueError) in
                let value = try Value.timeSpan(text)
                draft.settings.runtimeMax = value
                if value == .microseconds(0) {
                    draft.remarks.append(
                        ValueError(message: "0 stops the run at once", remedy: "write infinity for no limit"))
                }
            },
            reset: { $0.settings.runtimeMax = nil },
            show: { SettingText.timeSpan($0.settings.runtimeMax ?? .infinity) }),

        .one(
            "Task", "RuntimeRandomizedExtraSec", .timeSpan, \.runtimeRandomizedExtra,
            "A random part of this is added to RuntimeMaxSec=.", default: "0",
            show: { SettingText.timeSpan($0 ?? .microseconds(0)) }
        ) { text, _ throws(ValueError) in try Value.timeSpan(text) },

        .one(
            "Task", "WatchdogSec", .timeSpan, \.watchdog,
            "How often the running script has to say WATCHDOG=1 ($WATCHDOG_USEC tells it). Else it is stopped with "
                + "WatchdogSignal=. While it is frozen nothing is asked of it. 0 is off.",
            default: "0", show: { SettingText.timeSpan($0 ?? .microseconds(0)) }
        ) { text, _ throws(ValueError) in try Value.timeSpan(text) },

        .one(
            "Task", "SilenceSec", .timeSpan, \.silence,
            "How long nothing may come from the attempt: no status, progress or result, and no process of it writes "
                + "anything, be it output, a file or a pipe. Writing is noticed a twentieth of this late at most. While "
                + "it is frozen, this does not count. 0 is off.",
            default: "0", show: { SettingText.timeSpan($0 ?? .microseconds(0)) }
        ) { text, _ throws(ValueError) in try Value.timeSpan(text) },

        .one(
            "Task", "SilenceAction", .choice(["stop", "kill", "continue"]), \.silenceAction,
            "What follows SilenceSec=, in the words of systemd's OOMPolicy=: stop the run with KillSignal=; kill it at "
                + "once with FinalKillSignal=; only tell, in the log and in `faf show`.",
            default: "stop", show: { ($0 ?? .stop).rawValue }
        ) { text, _ throws(ValueError) in
            guard let action = TaskSettings.SilenceAction(rawValue: text) else {
                throw ValueError(message: "\(quoted(text)) is no action", remedy: "write stop, kill or continue")
            }
            return action
        },
    ]

    private static func span(_ text: String) throws(ValueError) -> TimeSpan {
        try Value.timeSpan(text, zeroIsInfinity: true, defaultUnitMicroseconds: 1_000_000)
    }
}
