import TaskModel

extension SettingTable {
    /// [Task]: what the supervisor looks at from time to time, and what it does about it.
    static let sampled: [Setting] =
        group(
            "Memory", \.memory, .bytes,
            "What all processes of the attempt may have together, without page cache, before MemoryAction= is taken: "
                + "anonymous, shared and kernel memory, or without a memory controller the sum of their shares (PSS)."
        ) { text throws(ValueError) in
            let amount = try Value.memory(text)
            if amount == .infinity {
                throw ValueError(message: "infinity is never exceeded", remedy: "write a size, or remove the line")
            }
            return amount
        }
        + group(
            "CPU", \.cpu, .percent,
            "What all processes of the attempt may use together of one CPU's time between two samples, before "
                + "CPUAction= is taken; 150% is one and a half CPUs' time."
        ) { text throws(ValueError) in .share(try Value.cpuQuota(text)) }
        + group(
            "Pressure", \.pressure, .percent,
            "For what share of the last 10 s some process of the attempt may have waited for memory (the first number "
                + "of memory.pressure), before PressureAction= is taken."
        ) { text throws(ValueError) in .share(try Value.percent(text, scale: .permyriad)) }

    private typealias Path = any WritableKeyPath<ConditionSettings, ConditionSettings.Condition> & Sendable

    private static func group(
        _ name: String, _ path: Path, _ type: SettingType, _ documentation: String,
        above: @escaping @Sendable (String) throws(ValueError) -> ResourceSettings.Amount
    ) -> [Setting] {
        [
            one(
                name + "Above", type, path, documentation, { $0.above.map(SettingText.amount) ?? "" },
                { $0.above = $1.above }
            ) { condition, text throws(ValueError) in condition.above = try above(text) },

            one(
                name + "Times", .times, path,
                "How many of how many samples must be above \(name)Above=; 3/5 may be met by the third.",
                { "\($0.times.least)/\($0.times.of)" }, { $0.times = $1.times }
            ) { condition, text throws(ValueError) in condition.times = try Value.times(text) },

            one(
                name + "IntervalSec", .timeSpan, path, "The time between two samples, at least 100ms.",
                { SettingText.timeSpan(.microseconds($0.interval)) }, { $0.interval = $1.interval }
            ) { condition, text throws(ValueError) in condition.interval = try interval(text) },

            one(
                name + "Action", .choice(ConditionSettings.Action.allCases.map(\.rawValue)), path,
                "What is done then: restart stops the attempt (with RestartKillSignal=, if that is set) and tries the run "
                    + "again within RetryLimit=, kill stops it and ends the run as failed, notify only tells, freeze "
                    + "also lets all processes stand still until `faf thaw`.",
                { $0.action.rawValue }, { $0.action = $1.action }
            ) { condition, text throws(ValueError) in
                guard let action = ConditionSettings.Action(rawValue: text) else {
                    throw ValueError(
                        message: "\(quoted(text)) is no such action", remedy: "write restart, kill, notify or freeze")
                }
                condition.action = action
            },
        ]
    }

    private static func one(
        _ key: String, _ type: SettingType, _ path: Path, _ documentation: String,
        _ show: @escaping @Sendable (ConditionSettings.Condition) -> String,
        _ copy: @escaping @Sendable (inout ConditionSettings.Condition, ConditionSettings.Condition) -> Void,
        parse: @escaping @Sendable (inout ConditionSettings.Condition, String) throws(ValueError) -> Void
    ) -> Setting {
        .custom(
            "Task", key, type, default: show(.init()), documentation,
            apply: { draft, text, _ throws(ValueError) in
                try parse(&draft.settings.conditions[keyPath: path], text)
            },
            reset: { copy(&$0.settings.conditions[keyPath: path], .init()) },
            show: { show($0.settings.conditions[keyPath: path]) })
    }

    private static func interval(_ text: String) throws(ValueError) -> UInt64 {
        guard case .microseconds(let interval) = try Value.timeSpan(text), interval >= 100_000 else {
            throw ValueError(message: "\(quoted(text)) is no interval", remedy: "write a time span of at least 100ms")
        }
        return interval
    }
}
