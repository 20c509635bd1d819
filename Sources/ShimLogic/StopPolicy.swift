/// How an attempt is stopped (systemd.kill(5)). Times in µs, `StopSequence.never` for none.
public struct StopPolicy: Equatable, Sendable {
    public enum Mode: UInt32, Equatable, Sendable {
        case controlGroup = 0
        case mixed = 1
        case process = 2
        case none = 3
    }

    /// What follows SilenceSec= (the words of OOMPolicy=).
    public enum SilenceAction: UInt32, Equatable, Sendable {
        case stop = 0
        case kill = 1
        case carryOn = 2
    }

    public var mode: Mode
    public var timeoutStop: UInt64
    /// In place of `timeoutStop` after a watchdog's signal.
    public var timeoutAbort: UInt64
    public var killSignal: UInt32
    public var restartSignal: UInt32
    public var watchdogSignal: UInt32
    public var finalSignal: UInt32
    public var sendsKill: Bool
    public var sendsHangup: Bool
    public var silenceAction: SilenceAction

    public init(
        mode: Mode = .controlGroup, timeoutStop: UInt64, timeoutAbort: UInt64? = nil, killSignal: UInt32 = 15,
        restartSignal: UInt32 = 0, watchdogSignal: UInt32 = 6, finalSignal: UInt32 = StopPolicy.sigkill,
        sendsKill: Bool = true, sendsHangup: Bool = false, silenceAction: SilenceAction = .stop
    ) {
        self.mode = mode
        self.timeoutStop = timeoutStop
        self.timeoutAbort = timeoutAbort ?? timeoutStop
        self.killSignal = killSignal
        self.restartSignal = restartSignal == 0 ? killSignal : restartSignal
        self.watchdogSignal = watchdogSignal
        self.finalSignal = finalSignal
        self.sendsKill = sendsKill
        self.sendsHangup = sendsHangup
        self.silenceAction = silenceAction
    }

    public static var sighup: UInt32 { 1 }
    public static var sigkill: UInt32 { 9 }

    /// Nobody is killed but by request.
    var mayKill: Bool { sendsKill && mode != .none }

    func signal(_ cause: StopSequence.Cause) -> UInt32 {
        switch cause {
        case .watchdog: watchdogSignal
        case .restart: restartSignal
        case .kill, .timeoutStart, .leftovers, .shutdown, .stopping, .runtime, .silence, .outOfMemory, .memoryLimit,
            .cpuLimit, .pressure:
            killSignal
        }
    }

    func timeout(_ cause: StopSequence.Cause) -> UInt64 { cause == .watchdog ? timeoutAbort : timeoutStop }

    /// SIGHUP goes with the signal of a stop for good alone (systemd: KILL_TERMINATE, not KILL_RESTART or KILL_WATCHDOG).
    func hangsUp(_ stop: StopSequence.Stop) -> Bool {
        sendsHangup && stop.signal != StopPolicy.sighup && stop.cause != .watchdog && !stop.isForRestart
    }
}
