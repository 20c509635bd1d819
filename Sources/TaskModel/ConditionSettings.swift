/// What the supervisor looks at from time to time, and what it does about it (god's conditions).
///
/// Stored with the run: a field added later has to be optional.
public struct ConditionSettings: Sendable, Hashable, Codable {
    public enum Action: String, Sendable, Hashable, Codable, CaseIterable {
        /// The attempt is stopped by the unit's sequence, and the run is tried again within `RetryLimit=`.
        case restart
        /// The attempt is stopped by the unit's sequence, and the run is over.
        case kill
        /// It is told.
        case notify
        case freeze
    }

    /// So many of the last so many samples.
    public struct Times: Sendable, Hashable, Codable {
        public var least: UInt16
        public var of: UInt16

        public init(least: UInt16, of: UInt16) {
            self.least = least
            self.of = of
        }
    }

    public struct Condition: Sendable, Hashable, Codable {
        /// A size or a share of the machine's memory; for CPU time of one core's; for pressure of all time. `nil`: it is
        /// not looked at.
        public var above: ResourceSettings.Amount?
        public var times = Times(least: 3, of: 5)
        /// µs between two samples.
        public var interval: UInt64 = 30_000_000
        public var action = Action.kill

        public init() {}
    }

    /// Of all processes of the attempt: anonymous, shared and the kernel's; no page cache.
    public var memory = Condition()
    /// Of all processes, between two samples.
    public var cpu = Condition()
    /// The share of time in which some process waited for memory, over the last 10 s (PSI).
    public var pressure = Condition()

    public init() {}

    public subscript(_ quantity: Quantity) -> Condition {
        switch quantity {
        case .memory: memory
        case .cpu: cpu
        case .pressure: pressure
        }
    }

    /// What is looked at.
    public enum Quantity: String, Sendable, Hashable, Codable, CaseIterable {
        case memory, cpu, pressure

        /// What a stop for it is called.
        public var cause: StopRequest.Cause {
            switch self {
            case .memory: .memoryLimit
            case .cpu: .cpuLimit
            case .pressure: .pressure
            }
        }

        /// `MemoryAbove` and its like.
        public var setting: String {
            switch self {
            case .memory: "MemoryAbove"
            case .cpu: "CPUAbove"
            case .pressure: "PressureAbove"
            }
        }
    }
}

/// A condition that was met.
public struct ConditionVerdict: Sendable, Hashable, Codable {
    public var quantity: ConditionSettings.Quantity
    /// Bytes of memory; ten-thousandths of one core's time, or of all time.
    public var above: UInt64
    public var times: ConditionSettings.Times
    public var action: ConditionSettings.Action
    /// The last ones, oldest first, in the unit of `above`. Those strictly greater are over it.
    public var samples: [UInt64]
    public var at: Timestamp

    public init(
        quantity: ConditionSettings.Quantity, above: UInt64, times: ConditionSettings.Times,
        action: ConditionSettings.Action, samples: [UInt64], at: Timestamp
    ) {
        self.quantity = quantity
        self.above = above
        self.times = times
        self.action = action
        self.samples = samples
        self.at = at
    }

    /// `MemoryAbove=60.0 MiB was exceeded by 3 of 4 samples: 41.0 MiB, *61.2 MiB, *62.4 MiB, *63.0 MiB`; `*` marks those
    /// that are over it.
    public var text: String {
        let over = samples.count { $0 > above }
        let list = samples.map { ($0 > above ? "*" : "") + shown($0) }.joined(separator: ", ")
        return "\(quantity.setting)=\(shown(above)) was exceeded by \(over) of \(samples.count) samples: \(list)"
    }

    private func shown(_ value: UInt64) -> String {
        switch quantity {
        case .memory: ByteSize.text(value)
        // Tenths of a percent are enough for people.
        case .cpu, .pressure: "\(value / 100).\(value % 100 / 10)%"
        }
    }
}
