public import TaskModel

/// Decides whether a run whose attempt has ended gets another one, and when.
///
/// The order is systemd's (systemd.service(5), `Restart=`): asked to stop, never; `RetryPreventExitStatus=`, never;
/// `RetryForceExitStatus=`, yes; else what `Retry=` says of such an end; but a stop by `MemoryAction=` or its like says
/// itself what follows. `RetryLimit=` holds for all of them.
public enum RetryPolicy {
    public enum Decision: Sendable, Hashable {
        /// The next attempt begins when `state.due` says; the text says which retry it is.
        case again(RetryState, String)
        /// The run is over. The text says what kept it from being tried again, where that is not plain.
        case over(String?)
    }

    /// µs. Whatever is asked for, the next attempt begins no earlier after the end of the last: a script that fails at
    /// once cannot spin (threat-model.md I3).
    public static let floor: UInt64 = 100_000

    /// - Parameters:
    ///   - ended: when the attempt ended.
    ///   - random: decides over the jitter.
    public static func decide(
        _ end: RunEnd, _ all: TaskSettings, _ state: RetryState, ended: Moment, random: UInt64
    ) -> Decision {
        let settings = all.retry
        guard end.mayBeRetried, !end.wasAskedFor else { return .over(nil) }
        if settings.prevent.contains(end.observation?.exit) { return .over("RetryPreventExitStatus= names it") }
        // MemoryAction= and its like say themselves what follows.
        let cause = end.observation?.stop?.cause
        if let condition = ConditionSettings.Quantity.allCases.first(where: { $0.cause == cause }) {
            guard all.conditions[condition].action == .restart else { return .over(nil) }
        } else if !settings.force.contains(end.observation?.exit), cause != .restart,
            !settings.mode.wants(end.reason.kind)
        {
            return .over(nil)
        }
        return count(settings, state, ended: ended, asked: end.observation?.retryAfter, random: random)
    }

    /// The limit, within its window if it has one: on two levels, as god's `flapping` gives up.
    private static func count(
        _ settings: RetrySettings, _ state: RetryState, ended: Moment, asked: UInt64?, random: UInt64
    ) -> Decision {
        var next = state
        var delay: UInt64?
        var pause: UInt64 = 0
        var text: String
        if let limit = settings.limit, let window = settings.window {
            // A window that ended without reaching the limit forgives what was before.
            if state.since.map({ ended.microseconds(since: $0) >= window }) ?? true {
                next = RetryState()
                next.since = ended
            }
            if next.used >= limit {
                guard next.pauses < limit else {
                    return .over("gave up: RetryLimit=\(limit) was reached \(limit + 1) times in a row")
                }
                pause = window - min(window, next.since.map { ended.microseconds(since: $0) } ?? 0)
                next.pauses += 1
                next.used = 0
            }
            text = "retry \(next.used + 1) of \(limit)"
            if pause > 0 { text += " after pause \(next.pauses) of \(limit), for RetryWindowSec= is used up" }
        } else if let limit = settings.limit {
            guard next.used < limit else {
                return .over("gave up: RetryLimit=\(limit) is reached")
            }
            text = "retry \(next.used + 1) of \(limit)"
        } else {
            text = "retry \(next.used &+ 1)"
        }
        next.used = next.used == .max ? .max : next.used + 1
        delay = asked ?? settings.withJitter(settings.delay(beforeRetry: next.used), random: random)
        let due = ended.advanced(by: max(delay ?? 0, pause, floor))
        if pause > 0 { next.since = due }
        next.due = due
        return .again(next, text)
    }
}

extension RetrySettings.Mode {
    /// systemd's matrix; its `on-abnormal` is every failure that is not an unclean exit code.
    func wants(_ kind: Reason.Kind) -> Bool {
        switch kind {
        case .success: self == .always
        case .exitCode, .exec: self == .always || self == .onFailure
        case .signal, .coreDump, .timeout, .watchdog, .oomKill, .protocol, .resources, .memoryLimit, .cpuLimit,
            .memoryPressure, .silence, .lost, .reboot:
            self != .no
        case .cancelled, .shutdown: false
        }
    }
}

extension TaskSettings.ExitStatuses {
    func contains(_ exit: ProcessExit?) -> Bool {
        switch exit {
        case .exited(let code): codes.contains(code)
        case .signaled(let signal, _): signals.contains(signal)
        case .notStarted, .unknown, nil: false
        }
    }
}
