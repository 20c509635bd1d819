/// The one stop sequence of an attempt: KillSignal=, SIGCONT, SIGHUP, TimeoutStopSec=, FinalKillSignal=.
///
///                      READY=1
///     starting ─────────────────────► running        (Clocks)
///        │ a clock, a request            │ a clock, a request, STOPPING=1, leftovers
///        └───────────────┬───────────────┘
///                        ▼   (first cause and deadline stay; no request moves them, EXTEND_TIMEOUT_USEC= does)
///                     stopping ── TimeoutStopSec ──► killed
///                        │                              ▲
///                        └── FinalKillSignal= is another ── TimeoutStopSec
///
/// Times are µs of CLOCK_BOOTTIME. It opens nothing and asks no clock; what to do comes back as an `Action`.
public struct StopSequence: Equatable, Sendable {
    public enum Cause: UInt32, Equatable, Sendable {
        case kill = 1
        case timeoutStart = 3
        case leftovers = 4
        case shutdown = 5
        case stopping = 6
        case outOfMemory = 20
        case runtime = 10
        case watchdog = 11
        case silence = 12
        case restart = 13
        case memoryLimit = 21
        case cpuLimit = 22
        case pressure = 23
    }

    /// Whom an action reaches.
    public enum Reach: Equatable, Sendable { case all, main }

    public enum Action: Equatable, Sendable {
        case nothing
        /// This signal, then SIGCONT; then, to whoever is left, SIGHUP.
        case signal(UInt32, Reach, thenHangup: Bool)
        /// SIGKILL.
        case kill(Reach)
    }

    /// How far it has come beyond the first signal; the values are those of the record.
    public enum Final: UInt32, Equatable, Sendable {
        case pending = 0
        case killed = 1
        /// FinalKillSignal= is another one, and was sent; SIGKILL follows.
        case signalled = 2
    }

    /// The sequence as it stands in the record.
    public struct Stop: Equatable, Sendable {
        public var cause: Cause
        public var signal: UInt32
        /// Who asked; 0 for what the shim began itself.
        public var uid: UInt32
        public var begunAt: UInt64
        /// When the final signal goes out, or SIGKILL after it. `never`: it does not.
        public var deadline: UInt64
        public var wasSignalled: Bool
        public var final = Final.pending
        /// Begun when the main process had ended already: for what `KillMode=process` has left.
        public var isForRest = false
        /// It is to be tried again, as far as whoever asked knows.
        public var isForRestart = false

        public var wasKilled: Bool { final == .killed }
    }

    public static var never: UInt64 { .max }

    static func after(_ span: UInt64, _ now: UInt64) -> UInt64 {
        let (time, overflows) = now.addingReportingOverflow(span)
        return overflows ? never : time
    }

    private let policy: StopPolicy
    /// They end with the beginning of a stop.
    public var clocks: Clocks
    private var mainHasEnded = false
    public private(set) var stop: Stop?

    public init(_ policy: StopPolicy, _ limits: Clocks.Limits) {
        self.policy = policy
        clocks = Clocks(limits)
    }

    /// When `tick` has something to do.
    public var deadline: UInt64 {
        guard let stop else { return clocks.deadline }
        return stop.wasKilled ? StopSequence.never : stop.deadline
    }

    public mutating func started(at now: UInt64) {
        if stop == nil { clocks.started(at: now) }
    }

    /// The task stops by itself: no signal, but not for ever.
    public mutating func saysStopping(at now: UInt64) -> Action {
        if stop == nil { begin(.stopping, at: now) }
        return .nothing
    }

    /// EXTEND_TIMEOUT_USEC=: whatever runs out next, the stop itself included.
    public mutating func extend(by span: UInt64, at now: UInt64) {
        guard let stop else { return clocks.extend(by: span, at: now) }
        if span > 0, span != StopSequence.never, !stop.wasKilled {
            self.stop?.deadline = max(stop.deadline, StopSequence.after(span, now))
        }
    }

    /// Somebody wants it to end. `signal` 0: the unit's; another one comes with the stop before a restart only.
    public mutating func requested(_ cause: Cause, signal: UInt32, uid: UInt32, at now: UInt64) -> Action {
        if let running = stop, policy.mode != .process || !mainHasEnded || running.isForRest {
            // It had announced its end and got no signal yet: now it gets one, and whoever asked is named as the cause.
            // The clock that runs already is not moved.
            guard running.cause == .stopping, !running.wasSignalled, running.final == .pending else { return .nothing }
            stop?.cause = cause
            stop?.uid = uid
            stop?.signal = signal == 0 ? policy.signal(cause) : signal
            stop?.isForRestart = cause == .restart || signal != 0
            return signalled()
        }
        // Else the run of a task with KillMode=process could not be ended once its main process has.
        begin(cause, signal: signal, uid: uid, at: now)
        stop?.isForRest = policy.mode == .process && mainHasEnded
        return signalled()
    }

    /// WATCHDOG=trigger: as if WatchdogSec= were over. It needs none.
    public mutating func triggered(at now: UInt64) -> Action {
        guard stop == nil, !mainHasEnded else { return .nothing }
        begin(.watchdog, at: now)
        return signalled()
    }

    /// The main process has ended. `leavesOthers`: some of its processes have not.
    public mutating func mainEnded(leavesOthers: Bool, at now: UInt64) -> Action {
        clocks.end()
        mainHasEnded = true
        guard leavesOthers else { return .nothing }
        switch policy.mode {
        case .controlGroup:
            if stop == nil { begin(.leftovers, at: now) }
            return stop?.wasSignalled == true || stop?.final != .pending ? .nothing : signalled()
        case .mixed:
            if stop == nil { begin(.leftovers, at: now) }
            // A final signal that went out went to them, too.
            return stop?.final == .pending ? finalSignal(at: now) : .nothing
        case .process, .none:
            // It was for the main process, and has done its work.
            stop?.deadline = StopSequence.never
            return .nothing
        }
    }

    /// The clock: called at or after `deadline`, harmless before.
    public mutating func tick(at now: UInt64) -> Action {
        if let stop {
            guard now >= stop.deadline else { return .nothing }
            return stop.final == .pending ? finalSignal(at: now) : killed()
        }
        guard let cause = clocks.due(at: now) else { return .nothing }
        guard cause == .silence, policy.silenceAction != .stop else {
            begin(cause, at: now)
            return signalled()
        }
        if policy.silenceAction == .carryOn {
            clocks.fellSilent()
            return .nothing
        }
        begin(cause, at: now)
        return policy.mayKill ? finalSignal(at: now) : signalled()
    }

    private mutating func begin(_ cause: Cause, signal: UInt32 = 0, uid: UInt32 = 0, at now: UInt64) {
        clocks.end()
        stop = Stop(
            cause: cause, signal: signal == 0 ? policy.signal(cause) : signal, uid: uid, begunAt: now,
            deadline: policy.mayKill ? StopSequence.after(policy.timeout(cause), now) : StopSequence.never,
            wasSignalled: false)
        stop?.isForRestart = cause == .restart || signal != 0
    }

    private mutating func signalled() -> Action {
        stop?.wasSignalled = true
        guard let stop else { return .nothing }
        let hangsUp = policy.hangsUp(stop)
        switch policy.mode {
        case .controlGroup: return .signal(stop.signal, .all, thenHangup: hangsUp)
        case .process where stop.isForRest: return .signal(stop.signal, .all, thenHangup: hangsUp)
        case .mixed, .process: return .signal(stop.signal, .main, thenHangup: hangsUp)
        case .none: return .nothing
        }
    }

    /// FinalKillSignal=. What outlives another one than SIGKILL is killed for good after as long again: where systemd
    /// would leave it behind, the run would never end.
    private mutating func finalSignal(at now: UInt64) -> Action {
        guard policy.mayKill else { return .nothing }
        if policy.finalSignal == StopPolicy.sigkill { return killed() }
        stop?.final = .signalled
        stop?.deadline = StopSequence.after(policy.timeoutStop, now)
        return .signal(policy.finalSignal, finalReach, thenHangup: false)
    }

    private mutating func killed() -> Action {
        guard policy.mayKill, let stop, !stop.wasKilled else { return .nothing }
        self.stop?.final = .killed
        return .kill(finalReach)
    }

    private var finalReach: Reach { policy.mode == .process && stop?.isForRest != true ? .main : .all }
}
