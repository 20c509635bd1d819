public import TaskModel

/// A fact about one run, for its machine.
public enum RunEvent: Sendable, Hashable {
    /// The row is durable.
    case committed
    /// The row is not in the store, and will not be.
    case commitFailed(StoreRefusal)
    /// A shim stands at the gate.
    case prepared(shimPID: Int32)
    case prepareFailed(LaunchRefusal)
    /// What the attempt's record says now. Launching, adoption, changes and the shim's death all come as this.
    case found(Finding)
    /// Nothing of the attempt is left in its cgroup.
    case cgroupEmptied
    /// A request to end, or one signal. A run that waits for its retry ends by the first, and has nothing to signal.
    case stopRequested(StopRequest)
    /// The time has come that a run waits for whose latest attempt has this number (0: it has none).
    case retryDue(after: Int)
    /// That time has come, and nothing can be launched now; it comes again.
    case retryHeld(LaunchRefusal)
    /// Somebody wants the next attempt now.
    case retryRequested
    /// The end is durable, of the run or of an attempt that is tried again.
    case endStored
    /// The end could not be stored; the text says why.
    case endRefused(String)
    /// Time to try again what `endRefused` refused.
    case endRetryDue
}

/// What the driver tells with every event.
public struct EventContext: Sendable, Hashable {
    public var now: Moment
    /// An invocation id that no attempt has had; used when one is launched.
    public var fresh: InvocationID
    /// Decides over jitter.
    public var random: UInt64
    /// Where the run's output ends now, in bytes of its file; told with what may begin another attempt.
    public var outputEnd: UInt64?

    public init(now: Moment, fresh: InvocationID, random: UInt64) {
        self.now = now
        self.fresh = fresh
        self.random = random
    }
}

/// What is on disk of an attempt: its live record, or else its durable end.
public enum Finding: Sendable, Hashable {
    case nothing
    case observation(AttemptObservation, isEnd: Bool)
    /// What was read makes no sense; the text says what is wrong.
    case damaged(String)
    /// Could not be looked at now (no descriptor left, an I/O error): says nothing about the attempt.
    case unreadable(String)
    /// Written by a newer version than this one.
    case newer(String)
}

/// Why the store refused a run.
public struct StoreRefusal: Error, Sendable, Hashable {
    public var message: String
    public var remedy: String

    public init(message: String, remedy: String) {
        self.message = message
        self.remedy = remedy
    }
}

/// Why no shim could be made ready.
public struct LaunchRefusal: Error, Sendable, Hashable {
    /// The step that failed, in the words of the record's format ("cgroup", "notify-socket", ...).
    public var step: String
    public var errno: Int32
    public var message: String
    public var remedy: String
    /// The tasks' unit is stopped, or is being stopped: nothing is wrong with the run or the machine.
    public var isTasksUnitDown: Bool

    public init(step: String, errno: Int32, message: String, remedy: String, isTasksUnitDown: Bool = false) {
        self.step = step
        self.errno = errno
        self.message = message
        self.remedy = remedy
        self.isTasksUnitDown = isTasksUnitDown
    }
}

/// What happens to the row when an attempt begins.
public enum RowChange: Sendable, Hashable {
    /// There is none yet.
    case insert
    /// In place of an active one.
    case replace
    /// In place of a final one: somebody wants the run tried again.
    case reopen(from: Run)
}

/// An order to the driver. Effects are executed in their order; only `commitAndPrepare` overlaps its two halves.
public enum RunEffect: Sendable, Hashable {
    /// Store the row and make a shim ready, at the same time.
    /// Answers: `committed` or `commitFailed`, and `prepared` or `prepareFailed`, in any order.
    case commitAndPrepare(Run, RowChange)
    /// Let the prepared shim run the script.
    case go
    /// Close the gate: the shim leaves without running anything.
    case withhold
    /// Tell whoever fired, or wanted it tried again, that the run is on its way.
    case acknowledge
    /// Tell them, if they still wait, that it is not.
    case refuse(FireRefusal)
    /// Its shim has its go: look at its record in a moment. Answers with `found`.
    case expect(InvocationID)
    /// Begin to watch the attempt's shim and record. Answers with `found`.
    case watch(InvocationID)
    /// Hand a stop request to the attempt's shim. Answers with `found` if there is no shim.
    case request(InvocationID, StopRequest)
    /// Kill all that is left in the attempt's cgroup. Answers: `cgroupEmptied`.
    case emptyCgroup(InvocationID, attempt: Int)
    /// Move a damaged record out of the way and name it.
    case setAside(InvocationID, why: String)
    /// Store the end: the run's, or with a row that is `queued` its attempt's; and with it the runs that follow on it.
    /// Answers: `endStored` or `endRefused`.
    case storeEnd(Run, [RunTrigger.Event])
    case retryEnd(after: Duration)
    /// Wait until the run's `retry.due`. Answers: `retryDue`.
    case awaitRetry(Moment, after: Int)
    /// Look at the record again in a while; one look at a time is enough. Answers with `found`.
    case lookAgain(InvocationID, after: Duration)
    /// Keep the last lines of this attempt, whose end is stored. Nothing waits for it: the next attempt may begin.
    case keepOutput(Run, Attempt)
    /// Delete record, end, notify socket and cgroup of the attempt.
    case clean(InvocationID, attempt: Int)
}

/// Why a fire was refused after the run got its number. The script has not run and will not.
public enum FireRefusal: Error, Sendable, Hashable {
    case store(StoreRefusal)
    case launch(LaunchRefusal)
}
