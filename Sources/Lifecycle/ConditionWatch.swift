public import TaskModel

/// The conditions of one attempt: when to look, and what the samples say.
///
/// The window is god's: of the last n samples m strictly greater than the limit, wherever they stand among them; it may
/// be met before there are n. It begins empty with each attempt, and again after it has been met by one whose action lets
/// the attempt go on: so that is told once per window, not with every sample.
///
/// It opens nothing and asks no clock.
public struct ConditionWatch: Sendable, Hashable {
    private struct Window: Sendable, Hashable {
        let quantity: ConditionSettings.Quantity
        let above: UInt64
        let settings: ConditionSettings.Condition
        var samples: [UInt64] = []
        var due: UInt64

        func isDue(at time: UInt64) -> Bool { due <= time + min(haste, settings.interval / 10) }

        /// Whether the condition is met with this one.
        mutating func add(_ sample: UInt64) -> Bool {
            samples.append(sample)
            samples.removeFirst(max(0, samples.count - Int(settings.times.of)))
            return samples.count { $0 > above } >= settings.times.least
        }
    }

    /// µs. As much earlier than it is due, and at most a tenth of its interval, a sample may be taken: then many attempts
    /// are looked at together.
    public static let haste: UInt64 = 250_000

    private var windows: [Window]
    private var lastCPU: Reading?

    private struct Reading: Sendable, Hashable {
        let time: UInt64
        let used: UInt64
    }

    /// - Parameters:
    ///   - memory: what the machine has, in bytes.
    ///   - now: µs of CLOCK_BOOTTIME; the first samples are due at once.
    /// - Returns: `nil` if the unit has no conditions.
    public init?(_ settings: ConditionSettings, memory: @autoclosure () -> UInt64, now: UInt64) {
        windows = ConditionSettings.Quantity.allCases.compactMap { quantity in
            let condition = settings[quantity]
            let above: UInt64
            switch condition.above {
            case nil, .infinity: return nil
            case .absolute(let number): above = number
            case .share(let share): above = quantity == .memory ? memory() / 10_000 * UInt64(share) : UInt64(share)
            }
            return Window(quantity: quantity, above: above, settings: condition, due: now)
        }
        if windows.isEmpty { return nil }
    }

    /// When to look next, in µs of CLOCK_BOOTTIME.
    public var due: UInt64 { windows.map(\.due).min() ?? .max }

    /// What to look at then.
    public func due(at time: UInt64) -> Set<ConditionSettings.Quantity> {
        Set(windows.filter { $0.isDue(at: time) }.map(\.quantity))
    }

    /// Takes what was measured of what was due at `time`; the conditions that are met with it.
    public mutating func take(_ measurement: Measurement, dueAt time: UInt64, at now: Timestamp) -> [ConditionVerdict] {
        var met: [ConditionVerdict] = []
        for index in windows.indices where windows[index].isDue(at: time) {
            // No drift; what was missed, because the machine slept or was busy, is not made up for.
            let interval = windows[index].settings.interval
            let next = windows[index].due + interval
            windows[index].due = next > measurement.time ? next : measurement.time + interval
            guard let sample = sample(windows[index].quantity, measurement), windows[index].add(sample) else {
                continue
            }
            let window = windows[index]
            met.append(
                ConditionVerdict(
                    quantity: window.quantity, above: window.above, times: window.settings.times,
                    action: window.settings.action, samples: window.samples, at: now))
            windows[index].samples = []
        }
        return met
    }

    private mutating func sample(_ quantity: ConditionSettings.Quantity, _ measurement: Measurement) -> UInt64? {
        switch quantity {
        case .memory: return measurement.memoryBytes
        case .pressure: return measurement.pressure
        case .cpu:
            guard let used = measurement.cpuMicroseconds else { return nil }
            defer { lastCPU = Reading(time: measurement.time, used: used) }
            // One reading says nothing yet. Without a cgroup the sum falls when a process is gone whose time nobody took.
            guard let last = lastCPU, measurement.time > last.time, used >= last.used else { return nil }
            let (product, overflows) = (used - last.used).multipliedReportingOverflow(by: 10_000)
            return overflows ? nil : product / (measurement.time - last.time)
        }
    }
}
