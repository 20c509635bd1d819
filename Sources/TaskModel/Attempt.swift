/// How a process ended, as waitid(2) tells it. Never made up: what is not known is `nil` where this is optional.
public enum ProcessExit: Sendable, Hashable, Codable {
    case exited(code: UInt8)
    case signaled(signal: UInt8, coreDumped: Bool)
    /// The script never ran: this step between clone and exec failed with this errno.
    case notStarted(step: String, errno: Int32)
    /// The main process was not the shim's child (`MAINPID=`), so its status could not be read.
    case unknown
}

/// What an attempt used, over all of its processes where a cgroup tells, over the main process and its waited-for
/// children otherwise (getrusage(2)).
public struct Usage: Sendable, Hashable, Codable {
    /// µs of CPU time in user mode.
    public var userMicroseconds: UInt64
    /// µs of CPU time in the kernel.
    public var systemMicroseconds: UInt64
    /// Largest resident set of one process, bytes.
    public var maxResidentBytes: UInt64
    /// Peak of the whole cgroup (`memory.peak`), bytes; `nil` without a memory controller.
    public var memoryPeakBytes: UInt64?
    /// CPU time of the whole cgroup (`cpu.stat`), µs; `nil` without a cgroup.
    public var cgroupMicroseconds: UInt64?
    /// `nil` without a cgroup, and of attempts of older versions.
    public var counters: CgroupCounters?

    public init(
        userMicroseconds: UInt64, systemMicroseconds: UInt64, maxResidentBytes: UInt64,
        memoryPeakBytes: UInt64? = nil, cgroupMicroseconds: UInt64? = nil
    ) {
        self.userMicroseconds = userMicroseconds
        self.systemMicroseconds = systemMicroseconds
        self.maxResidentBytes = maxResidentBytes
        self.memoryPeakBytes = memoryPeakBytes
        self.cgroupMicroseconds = cgroupMicroseconds
    }
}

/// Why a shim began to stop its attempt, and who asked.
public struct StopRequest: Sendable, Hashable, Codable {
    public enum Cause: UInt8, Sendable, Hashable, Codable {
        /// A caller's `kill` without a signal: the unit's stop sequence.
        case kill = 1
        /// One signal, as `systemctl kill` sends it; starts no stop sequence.
        case signal = 2
        case timeoutStart = 3
        /// The main process ended and others were left.
        case leftovers = 4
        case shutdown = 5
        /// The task said `STOPPING=1`.
        case stopping = 6
        /// `OOMPolicy=stop`: the kernel had killed one of its processes.
        case outOfMemory = 20
        /// `RuntimeMaxSec=`.
        case runtime = 10
        case watchdog = 11
        /// `SilenceSec=`.
        case silence = 12
        /// It is to be tried again: `RestartKillSignal=`.
        case restart = 13
        /// Freezes its processes; starts no stop sequence.
        case freeze = 14
        case thaw = 15
        /// `MemoryAbove=`, `CPUAbove=`, `PressureAbove=`.
        case memoryLimit = 21
        case cpuLimit = 22
        case pressure = 23

        /// Somebody wants the run to end; after any other the unit decides whether it is tried again.
        public var endsRun: Bool { self == .kill || self == .shutdown }
    }

    public enum Whom: UInt8, Sendable, Hashable, Codable { case main = 1, all = 2 }

    public var cause: Cause
    /// 0: the unit's `KillSignal=`.
    public var signal: UInt8
    public var whom: Whom
    public var uid: UInt32

    public init(cause: Cause, signal: UInt8 = 0, whom: Whom = .all, uid: UInt32) {
        self.cause = cause
        self.signal = signal
        self.whom = whom
        self.uid = uid
    }
}

/// Progress as the task tells it with `X_FAF_PROGRESS=done/total`.
public struct Progress: Sendable, Hashable, Codable {
    public var done: UInt64
    public var total: UInt64

    public init(done: UInt64, total: UInt64) {
        self.done = done
        self.total = total
    }
}

/// All that an attempt's record (or its durable end) says at the moment it is read.
public struct AttemptObservation: Sendable, Hashable, Codable {
    /// How far the attempt has come: what its shim has written so far.
    public enum Phase: UInt8, Sendable, Hashable, Codable, Comparable {
        /// Made ready; runs only on its go.
        case gate
        /// Has its go.
        case passed
        /// The script's first instruction has run.
        case started
        /// The main process has ended; others may be left.
        case exited
        /// Nothing of it is left.
        case emptied

        public static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    public var run: RunID
    public var number: Int
    public var invocation: InvocationID
    public var boot: BootID
    public var phase: Phase
    /// The process that holds the record's lock; `nil`: none does.
    public var shimPID: Int32?
    public var mainPID: Int32?
    public var isReady = false
    public var saysStopping = false
    public var status: String?
    public var progress: Progress?
    public var resultText: String?
    /// `ERRNO=` and `EXIT_STATUS=` as the task said them: information only.
    public var saidErrno: Int32?
    public var saidExitStatus: Int32?
    /// The stop of the main process: its cause decides how the run is judged.
    public var stop: StopRequest?
    /// The stop of what the main process had left (`KillMode=process`).
    public var restStop: AttemptStop?
    /// The first request to end the run (`StopRequest.Cause.kill` or `shutdown`), also if it came when the main process
    /// had ended, or was being stopped for another cause.
    public var askedToEnd: StopRequest?
    /// `X_FAF_RETRY_AFTER=` as the task said it, and in µs if it makes sense; its last word counts.
    public var retryAfterText: String?
    public var retryAfter: UInt64?
    /// The latest single signal that was asked for (`StopRequest.Cause.signal`).
    public var lastSignal: StopRequest?
    /// When the stop sequence began.
    public var stopBegan: Timestamp?
    /// When the latest of both sends its final signal, µs of CLOCK_BOOTTIME; `nil`: no stop, none, or SIGKILL went out.
    public var stopDeadline: UInt64?
    /// The final signal was sent: `FinalKillSignal=`, or SIGKILL.
    public var wasKilled = false
    /// The same time for people, by the clock as it was when the stop began.
    public var finalSignalAt: Timestamp?
    public var clocks = AttemptClocks()
    /// It has a cgroup of its own.
    public var hasCgroup = true
    public var exit: ProcessExit?
    public var usage: Usage?
    /// Not in the record: the supervisor that looked adds them. The latest of each quantity.
    public var conditions: [ConditionVerdict]?
    public var startedAt: Timestamp?
    /// When the main process ended.
    public var exitedAt: Timestamp?
    /// When nothing was left.
    public var endedAt: Timestamp?
    /// The same in µs of CLOCK_BOOTTIME, in `boot`.
    public var endedAtBoottime: UInt64?

    public init(run: RunID, number: Int, invocation: InvocationID, boot: BootID, phase: Phase) {
        self.run = run
        self.number = number
        self.invocation = invocation
        self.boot = boot
        self.phase = phase
    }
}
