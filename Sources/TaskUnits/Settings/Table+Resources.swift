import TaskModel

extension SettingTable {
    /// [Task]: what the kernel enforces for the attempt's cgroup (systemd.resource-control(5)).
    static let resources: [Setting] = memory + processors + others

    private static let memory: [Setting] = [
        amount(
            "MemoryMax", .size, \.memoryMax,
            "How much memory all processes of an attempt may have together; beyond it the kernel kills (OOMPolicy=). "
                + "A percentage is of the physical memory."
        ) { text throws(ValueError) in try Value.memory(text) },

        amount(
            "MemoryHigh", .size, \.memoryHigh,
            "Above this the processes are slowed down and their memory is taken back, but none is killed."
        ) { text throws(ValueError) in try Value.memory(text) },

        amount(
            "MemoryLow", .size, \.memoryLow, none: "0",
            "What is spared when the kernel takes memory back. It counts as far as the tasks' unit has such a "
                + "protection itself."
        ) { text throws(ValueError) in try Value.memory(text, allowsZero: true) },

        amount("MemorySwapMax", .size, \.memorySwapMax, "How much of it may be swapped out.") {
            text throws(ValueError) in try Value.memory(text, allowsZero: true)
        },

        one(
            "OOMPolicy", .choice(ResourceSettings.OOMPolicy.allCases.map(\.rawValue)), \.oomPolicy, none: "stop",
            "What follows when the kernel has killed a process of the attempt for lack of memory: nothing; the others "
                + "are stopped as by `faf kill`; the kernel kills all at once. With stop and kill the run ends as failed "
                + "(oom-kill). stop is the default where there is a memory controller.",
            show: \.rawValue
        ) { text throws(ValueError) in
            guard let policy = ResourceSettings.OOMPolicy(rawValue: text) else {
                throw ValueError(message: "\(quoted(text)) is no such policy", remedy: "write continue, stop or kill")
            }
            return policy
        },
    ]

    private static let processors: [Setting] = [
        one(
            "CPUQuota", .percent, \.cpuQuota,
            "How much CPU time all processes of an attempt get together; 200% is two CPUs' time.",
            show: SettingText.tenThousandths
        ) { text throws(ValueError) in try Value.cpuQuota(text) },

        one(
            "CPUQuotaPeriodSec", .timeSpan, \.cpuQuotaPeriod, none: "100ms",
            "The time over which CPUQuota= is counted, 1ms to 1s.", show: { SettingText.timeSpan(.microseconds($0)) }
        ) { text throws(ValueError) in
            guard case .microseconds(let period) = try Value.timeSpan(text) else { return nil }
            return period
        },

        one(
            "CPUWeight", .weight, \.cpuWeight,
            "The share of CPU time, compared with other attempts (100 each), while there is not enough; idle is only "
                + "what nobody else wants.",
            show: SettingText.weight
        ) { text throws(ValueError) in try Value.cpuWeight(text) },

        .custom(
            "Task", "AllowedCPUs", .cpus, isList: true, "The CPUs that the processes may run on.",
            apply: { draft, text, _ throws(ValueError) in
                var set = draft.settings.resources.allowedCPUs ?? CPUSet()
                for range in try Value.cpus(text).ranges { set.insert(range) }
                draft.settings.resources.allowedCPUs = set.ranges.isEmpty ? nil : set
            },
            reset: { $0.settings.resources.allowedCPUs = nil }, show: { _ in "" }),
    ]

    private static let others: [Setting] = [
        one(
            "IOWeight", .number, \.ioWeight,
            "The share of what block devices can do, 1 to 10000, compared with other attempts (100 each).",
            show: { String($0) }
        ) { text throws(ValueError) in try Value.weight(text) },

        amount(
            "TasksMax", .count, \.tasksMax,
            "How many processes and threads an attempt may have; more forks fail. A percentage is of what the system "
                + "allows."
        ) { text throws(ValueError) in try Value.tasks(text) },
    ]

    private static func amount(
        _ key: String, _ type: SettingType,
        _ path: any WritableKeyPath<ResourceSettings, ResourceSettings.Amount?> & Sendable, none: String = "infinity",
        _ documentation: String, parse: @escaping @Sendable (String) throws(ValueError) -> ResourceSettings.Amount
    ) -> Setting {
        one(key, type, path, none: none, documentation, show: SettingText.amount) { text throws(ValueError) in
            try parse(text)
        }
    }

    /// `none`: what holds if it is not set, as it would be written.
    private static func one<Value: Sendable>(
        _ key: String, _ type: SettingType, _ path: any WritableKeyPath<ResourceSettings, Value?> & Sendable,
        none: String = "", _ documentation: String, show: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (String) throws(ValueError) -> Value?
    ) -> Setting {
        .custom(
            "Task", key, type, default: none, documentation,
            apply: { draft, text, _ throws(ValueError) in draft.settings.resources[keyPath: path] = try parse(text) },
            reset: { $0.settings.resources[keyPath: path] = nil },
            show: { $0.settings.resources[keyPath: path].map(show) ?? none })
    }
}
