public import Lifecycle
public import TaskModel

/// What the supervisor needs from whoever makes shims and reads their records. Thread-safe.
public protocol Launching: Sendable {
    /// Why no attempt can begin now; `nil`: it may be tried.
    func refusal() -> LaunchRefusal?

    /// Makes a shim ready for the run's current attempt; it waits at its gate.
    func prepare(_ run: Run, _ attempt: Attempt) async throws(LaunchRefusal) -> any PreparedShim

    /// Every attempt that there is a live record or a durable end of.
    func names() throws(LaunchRefusal) -> [InvocationID]

    /// What is on disk of this attempt now.
    func find(_ id: InvocationID) -> Finding

    /// The run as it was stored in the attempt's record when it was launched; `nil` if it cannot be read.
    func origin(_ id: InvocationID) -> Run?

    /// Begins to report this attempt in `events`; `false`: no shim holds its record.
    func watch(_ id: InvocationID) -> Bool

    /// Reports once in `events` that this attempt has changed: when it is over, or within some ms, whether it has or not.
    func expect(_ id: InvocationID)

    /// Whether `events` shall tell, too, that an attempt's record has nothing new but a status or a progress. It does
    /// when this was never said.
    func hearWords(_ wanted: Bool)

    /// For an attempt that runs and has conditions; `nil`: it has no shim, or its record cannot be read.
    func meter(_ id: InvocationID) -> (any Metering)?

    /// Hands a stop request to the attempt's shim; `false`: there is no shim.
    func request(_ id: InvocationID, _ stop: StopRequest) -> Bool

    /// Kills all that is left in the attempt's cgroup and waits a while until it is empty; `false`: it is not, or cannot
    /// be looked at. Only for attempts whose shim is dead, or did not kill in time.
    func empty(_ id: InvocationID, run: RunID, attempt: Int) async -> Bool

    /// Deletes record, end, notify socket and cgroup.
    func clean(_ id: InvocationID, run: RunID, attempt: Int)

    /// Moves a damaged record away; the new path.
    func setAside(_ id: InvocationID) -> String?

    /// Removes empty cgroups that belong to no record: of attempts that were never acknowledged.
    func removeStrays()

    /// What has happened, all that waits at once.
    var events: AsyncStream<[AttemptEvent]> { get }
}

/// Reads what one attempt uses. Thread-safe, and blocks for a moment.
public protocol Metering: Sendable {
    /// What percentages of memory are of, in bytes.
    var machineMemory: UInt64 { get }
    func measure(_ what: Set<ConditionSettings.Quantity>) -> Measurement
}

/// A shim at its gate. Whoever drops it withholds the go.
public protocol PreparedShim: Sendable {
    var shimPID: Int32 { get }
    /// Lets it run the script; `false` if it is no longer there.
    func go() -> Bool
    func withhold()
}

public enum AttemptEvent: Sendable, Hashable {
    /// Its record was written.
    case changed(InvocationID)
    case shimGone(InvocationID)
    /// Events were lost: look at every attempt.
    case overflow
}

/// Hands out run numbers; none twice, ever.
public protocol Numbering: Sendable {
    func next() async throws(StoreRefusal) -> RunID
}
