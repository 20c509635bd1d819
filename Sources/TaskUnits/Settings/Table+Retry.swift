import TaskModel

extension SettingTable {
    /// [Task]: whether and when a run is tried again.
    static let retries: [Setting] = [
        .one(
            "Task", "Retry", .choice(RetrySettings.Mode.allCases.map(\.rawValue)), \.retry.mode,
            "After which ends of an attempt the run gets another one, as Restart= has them: on-failure after all but "
                + "success; on-abnormal after all but success and an exit code, or a script that could not be executed; "
                + "always also after success, until RetryLimit=. A run that was asked to end (`faf kill`, `faf cancel`, "
                + "a stop of faf-tasks.service) is not tried again. The settings stay those that it was fired with; the "
                + "script is checked anew.",
            show: \.rawValue
        ) { text, _ throws(ValueError) in
            guard let mode = RetrySettings.Mode(rawValue: text) else {
                throw ValueError(
                    message: "\(quoted(text)) does not say when to try again",
                    remedy: "write no, on-failure, on-abnormal or always")
            }
            return mode
        },

        .one(
            "Task", "RetryLimit", .number, \.retry.limit,
            "How often a run is tried again at most, or infinity. `faf retry` begins the count anew. Of very many attempts "
                + "the latest 100 are kept.",
            show: { $0.map { String($0) } ?? "infinity" }
        ) { text, _ throws(ValueError) in
            if text == "infinity" { return nil }
            let limit = UInt32(try Value.unsigned(text, upTo: UInt64(UInt32.max)))
            if limit == 0 {
                throw ValueError(
                    message: "with RetryLimit=0 nothing is tried again",
                    remedy: "write Retry=no, or infinity if there is to be no limit")
            }
            return limit
        },

        .one(
            "Task", "RetrySec", .timeSpan, \.retry.delay,
            "The time from the end of an attempt to the next one. A script may ask for its own with "
                + "X_FAF_RETRY_AFTER=. Whatever is asked for, it is at least 100ms.",
            show: { SettingText.timeSpan(.microseconds($0)) }
        ) { text, _ throws(ValueError) in try finite(text) },

        .one(
            "Task", "RetrySteps", .number, \.retry.steps,
            "In how many steps the time before a retry grows from RetrySec= to RetryMaxDelaySec=, each time by the same "
                + "factor, as RestartSteps= has it; 0: it does not grow. Ignored without RetryMaxDelaySec=.",
            show: { String($0) }
        ) { text, _ throws(ValueError) in UInt32(try Value.unsigned(text, upTo: UInt64(UInt32.max))) },

        .one(
            "Task", "RetryMaxDelaySec", .timeSpan, \.retry.maxDelay,
            "The longest time before a retry. Ignored without RetrySteps=, and if it is not longer than RetrySec=.",
            show: infiniteSpan
        ) { text, _ throws(ValueError) in try span(text) },

        .one(
            "Task", "RetryJitter", .percent, \.retry.jitter,
            "Up to this share of the time before a retry is added to it at random, so that runs that failed together "
                + "do not come back together.",
            show: { "\($0)%" }
        ) { text, _ throws(ValueError) in UInt8(try Value.percent(text, scale: .percent)) },

        statuses(
            "RetryPreventExitStatus", \.retry.prevent,
            "Exit codes and signals after which a run is not tried again, whatever Retry= says."),
        statuses(
            "RetryForceExitStatus", \.retry.force,
            "Exit codes and signals after which a run is tried again, whatever Retry= says; RetryPreventExitStatus= wins."
        ),

        .one(
            "Task", "RetryWindowSec", .timeSpan, \.retry.window,
            "The time in which RetryLimit= counts; infinity: it is for the whole run. A run that has used up its "
                + "RetryLimit= within it is flapping: its next retry waits until it is over, and they are counted anew. "
                + "When that has happened RetryLimit= times in a row, the run is over. Attempts that outlast it forgive "
                + "what was before.",
            show: infiniteSpan
        ) { text, _ throws(ValueError) in
            let window = try span(text)
            if window == 0 {
                throw ValueError(message: "nothing happens within no time", remedy: "write a time span, or infinity")
            }
            return window
        },
    ]

    private static func statuses(
        _ key: String, _ path: any WritableKeyPath<TaskSettings, TaskSettings.ExitStatuses> & Sendable,
        _ documentation: String
    ) -> Setting {
        .custom(
            "Task", key, .exitStatuses, isList: true, documentation,
            apply: { draft, text, _ throws(ValueError) in
                try draft.settings[keyPath: path].add(text)
            },
            reset: { $0.settings[keyPath: path] = .init() }, show: { _ in "" })
    }

    private static func infiniteSpan(_ value: UInt64?) -> String {
        SettingText.timeSpan(value.map { .microseconds($0) } ?? .infinity)
    }

    /// `nil`: infinity.
    private static func span(_ text: String) throws(ValueError) -> UInt64? {
        guard case .microseconds(let value) = try Value.timeSpan(text) else { return nil }
        return value
    }

    private static func finite(_ text: String) throws(ValueError) -> UInt64 {
        guard let value = try span(text) else {
            throw ValueError(
                message: "a retry that waits for ever never comes", remedy: "write Retry=no, or a time span")
        }
        return value
    }
}

extension TaskSettings.ExitStatuses {
    /// The words of one line of `SuccessExitStatus=` or its like.
    mutating func add(_ text: String) throws(ValueError) {
        for word in try Value.words(text) {
            switch try Value.exitStatus(word) {
            case .code(let code): codes.insert(code)
            case .signal(let signal): signals.insert(signal)
            }
        }
    }
}
