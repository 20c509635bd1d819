/// All clocks of an attempt, and its one stop sequence: KillSignal, SIGCONT, TimeoutStopSec, SIGKILL.
///
///                      READY=1
///     starting ─────────────────────► running
///        │ TimeoutStartSec, a request    │ a request, STOPPING=1, leftovers
///        └───────────────┬───────────────┘
///                        ▼   (first cause and deadline stay; no request moves them)
///                     stopping ── TimeoutStopSec ──► killed
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
    }

    public enum Mode: UInt32, Equatable, Sendable {
        case controlGroup = 0
        case mixed = 1
        case process = 2
        case none = 3
    }

    public enum Action: Equatable, Sendable {
        case nothing
        /// The stop signal, then SIGCONT, to every process.
        case signalAll
        /// The same to the main process alone.
        case signalMain
        /// SIGKILL to every process.
        case killAll
        /// SIGKILL to the main process alone.
        case killMain
    }

    /// The sequence as it stands in the record.
    public struct Stop: Equatable, Sendable {
        public var cause: Cause
        public var signal: UInt32
        /// Who asked; 0 for what the shim began itself.
        public var uid: UInt32
        public var begunAt: UInt64
        /// `never`: no SIGKILL follows.
        public var deadline: UInt64
        public var wasSignalled: Bool
        public var wasKilled: Bool
        /// Begun when the main process had ended already: for what `KillMode=process` has left.
        public var isForRest = false
    }

    public static var never: UInt64 { .max }

    private let timeoutStart: UInt64
    private let timeoutStop: UInt64
    private let killSignal: UInt32
    private let sendsKill: Bool
    private let mode: Mode
    private var startDeadline = StopSequence.never
    private var mainHasEnded = false
    public private(set) var stop: Stop?

    /// - Parameters: timeouts in µs, `never` for none; `timeoutStart` is `never` for what needs no READY=1.
    public init(timeoutStart: UInt64, timeoutStop: UInt64, killSignal: UInt32, sendsKill: Bool, mode: Mode) {
        self.timeoutStart = timeoutStart
        self.timeoutStop = timeoutStop
        self.killSignal = killSignal
        self.sendsKill = sendsKill
        self.mode = mode
    }

    /// When `tick` has something to do.
    public var deadline: UInt64 {
        guard let stop else { return startDeadline }
        return stop.wasKilled ? StopSequence.never : stop.deadline
    }

    public mutating func started(at now: UInt64) {
        if stop == nil { startDeadline = StopSequence.after(timeoutStart, now) }
    }

    public mutating func saysReady() { startDeadline = StopSequence.never }

    /// The task stops by itself: no signal, but not for ever.
    public mutating func saysStopping(at now: UInt64) -> Action {
        if stop == nil { begin(.stopping, signal: killSignal, uid: 0, at: now) }
        return .nothing
    }

    /// Somebody wants it to end. `signal` 0: the unit's.
    public mutating func requested(_ cause: Cause, signal: UInt32, uid: UInt32, at now: UInt64) -> Action {
        if let running = stop, mode != .process || !mainHasEnded || running.isForRest {
            // It had announced its end and got no signal yet: now it gets one, and whoever asked is named as the cause.
            // The clock that runs already is not moved.
            guard running.cause == .stopping, !running.wasSignalled, !running.wasKilled else { return .nothing }
            stop?.cause = cause
            stop?.uid = uid
            if signal != 0 { stop?.signal = signal }
            return signalled()
        }
        // Else the run of a task with KillMode=process could not be ended once its main process has.
        begin(cause, signal: signal == 0 ? killSignal : signal, uid: uid, at: now)
        stop?.isForRest = mode == .process && mainHasEnded
        return signalled()
    }

    /// The main process has ended. `leavesOthers`: some of its processes have not.
    public mutating func mainEnded(leavesOthers: Bool, at now: UInt64) -> Action {
        startDeadline = StopSequence.never
        mainHasEnded = true
        guard leavesOthers else { return .nothing }
        switch mode {
        case .controlGroup:
            if stop == nil { begin(.leftovers, signal: killSignal, uid: 0, at: now) }
            return stop?.wasSignalled == true || stop?.wasKilled == true ? .nothing : signalled()
        case .mixed:
            if stop == nil { begin(.leftovers, signal: killSignal, uid: 0, at: now) }
            return killed()
        case .process, .none:
            // It was for the main process, and has done its work.
            stop?.deadline = StopSequence.never
            return .nothing
        }
    }

    /// The clock: called at or after `deadline`, harmless before.
    public mutating func tick(at now: UInt64) -> Action {
        guard let stop else {
            guard now >= startDeadline else { return .nothing }
            begin(.timeoutStart, signal: killSignal, uid: 0, at: now)
            return signalled()
        }
        return now >= stop.deadline ? killed() : .nothing
    }

    private mutating func begin(_ cause: Cause, signal: UInt32, uid: UInt32, at now: UInt64) {
        startDeadline = StopSequence.never
        let mayKill = sendsKill && mode != .none
        stop = Stop(
            cause: cause, signal: signal, uid: uid, begunAt: now,
            deadline: mayKill ? StopSequence.after(timeoutStop, now) : StopSequence.never,
            wasSignalled: false, wasKilled: false)
    }

    private mutating func signalled() -> Action {
        stop?.wasSignalled = true
        switch mode {
        case .controlGroup: return .signalAll
        case .process where stop?.isForRest == true: return .signalAll
        case .mixed, .process: return .signalMain
        case .none: return .nothing
        }
    }

    private mutating func killed() -> Action {
        guard sendsKill, let stop, !stop.wasKilled else { return .nothing }
        self.stop?.wasKilled = true
        return mode == .process && !stop.isForRest ? .killMain : .killAll
    }

    private static func after(_ span: UInt64, _ now: UInt64) -> UInt64 {
        let (time, overflows) = now.addingReportingOverflow(span)
        return overflows ? never : time
    }
}
