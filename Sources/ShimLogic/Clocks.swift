/// What ends an attempt by time as long as nothing has begun to stop it.
///
///     TimeoutStartSec=   from the start to READY=1, with Type=notify
///     RuntimeMaxSec=     from then on; else from the start
///     WatchdogSec=       the same, and anew with each WATCHDOG=1
///     SilenceSec=        from the start, and anew with each sign: output, STATUS=, progress, result
///
/// Times are µs of CLOCK_BOOTTIME. It opens nothing and asks no clock. The rules of the first three are systemd's
/// (systemd.service(5), sd_notify(3), `src/core/service.c`).
public struct Clocks: Equatable, Sendable {
    /// Time spans in µs; `never`: no such limit.
    public struct Limits: Equatable, Sendable {
        /// Runs only once it said READY=1.
        public var needsReady: Bool
        public var start: UInt64
        /// What RuntimeRandomizedExtraSec= adds is drawn already.
        public var runtime: UInt64
        /// 0: none, too.
        public var watchdog: UInt64
        /// 0: none, too.
        public var silence: UInt64

        public init(
            needsReady: Bool = false, start: UInt64 = .max, runtime: UInt64 = .max, watchdog: UInt64 = .max,
            silence: UInt64 = .max
        ) {
            self.needsReady = needsReady
            self.start = start
            self.runtime = runtime
            self.watchdog = watchdog
            self.silence = silence
        }
    }

    private enum Phase: Equatable { case before, starting, running, over }

    /// Output is looked at so many times within SilenceSec=, so that its end is noticed a twentieth of that late at most.
    static var looks: UInt64 { 20 }
    static var shortestLook: UInt64 { 50_000 }

    private var limits: Limits
    private var phase = Phase.before
    private var isFrozen = false
    /// The end of the start, or of the running time.
    public private(set) var limit = StopSequence.never
    private var watchdog = StopSequence.never
    private var silence = StopSequence.never
    private var nextLook = StopSequence.never
    private var lastOutput: UInt64?
    private var lastSign: UInt64 = 0
    /// SilenceSec= is over, and nothing was heard since.
    public private(set) var isSilent = false

    public init(_ limits: Limits) { self.limits = limits }

    /// When to look at output, or at what is due.
    public var deadline: UInt64 { min(min(limit, watchdog), min(silence, nextLook)) }

    /// When it was heard last, if that was too long ago.
    public var silentSince: UInt64? { isSilent ? lastSign : nil }

    // MARK: What happens

    /// The script runs.
    public mutating func started(at now: UInt64) {
        guard phase == .before else { return }
        phase = .starting
        limit = StopSequence.after(limits.start, now)
        heard(at: now)
        if !limits.needsReady { isRunning(at: now) }
    }

    /// READY=1. Only the first one counts.
    public mutating func saysReady(at now: UInt64) {
        if phase == .starting { isRunning(at: now) }
    }

    private mutating func isRunning(at now: UInt64) {
        phase = .running
        limit = StopSequence.after(limits.runtime, now)
        pinged(at: now)
    }

    /// WATCHDOG=1.
    public mutating func pinged(at now: UInt64) {
        guard phase == .running, !isFrozen else { return }
        watchdog = limits.watchdog == 0 ? StopSequence.never : StopSequence.after(limits.watchdog, now)
    }

    /// WATCHDOG_USEC=, also without WatchdogSec=.
    public mutating func setWatchdog(_ span: UInt64, at now: UInt64) {
        limits.watchdog = span
        pinged(at: now)
    }

    /// EXTEND_TIMEOUT_USEC=: only ever lengthens what is set, counted from now.
    public mutating func extend(by span: UInt64, at now: UInt64) {
        guard span > 0, span != StopSequence.never else { return }
        let extended = StopSequence.after(span, now)
        limit = max(limit, extended)
        watchdog = max(watchdog, extended)
    }

    /// It said something, or wrote something.
    public mutating func heard(at now: UInt64) {
        guard phase == .starting || phase == .running, wantsLooks else { return }
        lastSign = now
        isSilent = false
        guard !isFrozen else { return }
        silence = StopSequence.after(limits.silence, now)
        if nextLook == StopSequence.never { setNextLook(now) }
    }

    /// The cgroup is frozen: it can neither ping nor say anything. The other limits go on.
    public mutating func froze() {
        isFrozen = true
        watchdog = StopSequence.never
        silence = StopSequence.never
        nextLook = StopSequence.never
    }

    public mutating func thawed(at now: UInt64) {
        guard isFrozen else { return }
        isFrozen = false
        pinged(at: now)
        heard(at: now)
    }

    /// A stop has begun, or the main process has ended.
    public mutating func end() {
        phase = .over
        limit = StopSequence.never
        watchdog = StopSequence.never
        silence = StopSequence.never
        nextLook = StopSequence.never
    }

    // MARK: Output

    /// SilenceSec= is set.
    public var wantsLooks: Bool { limits.silence > 0 && limits.silence != StopSequence.never }

    /// It is time to see how much was written.
    public func wantsLook(at now: UInt64) -> Bool { now >= min(nextLook, silence) }

    /// How much the attempt has written in all. `nil`: nobody can tell; then it is not taken for silent.
    public mutating func looked(output: UInt64?, at now: UInt64) {
        guard phase != .over, !isFrozen, wantsLooks else { return }
        // Less, too: a process that had written something has ended.
        if output == nil || (lastOutput != nil && output != lastOutput) { heard(at: now) }
        lastOutput = output
        setNextLook(now)
    }

    private mutating func setNextLook(_ now: UInt64) {
        nextLook = StopSequence.after(max(limits.silence / Clocks.looks, Clocks.shortestLook), now)
    }

    // MARK: What is due

    /// Output has to be looked at before, with the same `now`, if it is time.
    public func due(at now: UInt64) -> StopSequence.Cause? {
        let first = min(limit, min(watchdog, silence))
        guard now >= first else { return nil }
        if first == limit { return phase == .starting ? .timeoutStart : .runtime }
        return first == watchdog ? .watchdog : .silence
    }

    /// It was silent for too long, and may go on.
    public mutating func fellSilent() {
        isSilent = true
        silence = StopSequence.never
    }
}
