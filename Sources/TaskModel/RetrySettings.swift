/// When a run gets another attempt, and when that begins (`Retry=` and what belongs to it).
///
/// Stored with the run's settings: a field added later needs a default in `init(from:)`.
public struct RetrySettings: Sendable, Hashable, Codable {
    /// Which ends are tried again, as `Restart=` has them (systemd.service(5)).
    public enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        case no
        case onFailure = "on-failure"
        case onAbnormal = "on-abnormal"
        case always
    }

    public var mode: Mode = .no
    /// How often a run is tried again; `nil`: without end.
    public var limit: UInt32? = 5
    /// µs between the end of an attempt and the next one.
    public var delay: UInt64 = 100_000
    /// In how many steps the delay grows to `maxDelay`; 0: it does not.
    public var steps: UInt32 = 0
    /// µs; `nil`: the delay does not grow.
    public var maxDelay: UInt64?
    /// At most this share of the delay is added to it, in percent.
    public var jitter: UInt8 = 0
    public var prevent = TaskSettings.ExitStatuses()
    public var force = TaskSettings.ExitStatuses()
    /// µs in which `limit` counts; `nil`: it counts for the whole run.
    public var window: UInt64?

    public init() {}
}

/// How far a run has come with its retries. Stored with the run.
public struct RetryState: Sendable, Hashable, Codable {
    /// How often it was tried again since the count began.
    public var used: UInt32 = 0
    /// When the count began; only with a window.
    public var since: Moment?
    /// How often in a row the limit was reached within the window.
    public var pauses: UInt32 = 0
    /// When the next attempt is due; `nil`: no attempt is waited for.
    public var due: Moment?
    /// Somebody wants the run to end, so no attempt follows; stored if no shim could hear it.
    public var askedToEnd: StopRequest?

    public init() {}
}

/// A moment as both clocks have it: CLOCK_BOOTTIME counts as long as the machine is up, CLOCK_REALTIME stands for it
/// after another boot, and is what people are shown.
public struct Moment: Sendable, Hashable, Codable {
    public var realtime: Timestamp
    /// µs of CLOCK_BOOTTIME in `boot`.
    public var boottime: UInt64
    public var boot: BootID

    public init(realtime: Timestamp, boottime: UInt64, boot: BootID) {
        self.realtime = realtime
        self.boottime = boottime
        self.boot = boot
    }

    /// The moment so many µs later.
    public func advanced(by microseconds: UInt64) -> Moment {
        let (real, overflows) = realtime.microseconds.addingReportingOverflow(Int64(clamping: microseconds))
        let (up, overflowsToo) = boottime.addingReportingOverflow(microseconds)
        return Moment(
            realtime: Timestamp(microseconds: overflows ? .max : real), boottime: overflowsToo ? .max : up, boot: boot)
    }

    /// µs from `earlier` to this moment; 0 if that lies behind it.
    public func microseconds(since earlier: Moment) -> UInt64 {
        if boot == earlier.boot { return boottime > earlier.boottime ? boottime - earlier.boottime : 0 }
        let (difference, overflows) = realtime.microseconds.subtractingReportingOverflow(earlier.realtime.microseconds)
        if overflows { return realtime > earlier.realtime ? .max : 0 }
        return UInt64(max(difference, 0))
    }
}
