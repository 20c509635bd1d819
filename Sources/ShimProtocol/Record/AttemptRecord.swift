public import TaskModel

/// A record or an end, read: the observation, and what only fafd needs.
public struct AttemptRecord: Sendable, Hashable {
    /// `shimPID` is not in the file: it is the lock's holder.
    public var observation: AttemptObservation
    /// What fafd put there when it launched the attempt.
    public var origin: [UInt8]
    /// The attempt's cgroup; `nil`: it has none.
    public var cgroup: String?
    /// The run's.
    public var uid: UInt32
    public var killSignal: UInt8
    public var kind: TaskSettings.Kind
    /// When the shim was made.
    public var madeAt: Timestamp
    /// Why the durable end could not be written (errno): the live record is all there is. 0: it was, or is not due.
    public var endError: Int32

    public init(
        observation: AttemptObservation, origin: [UInt8] = [], cgroup: String? = nil, uid: UInt32 = 0,
        killSignal: UInt8 = 15, kind: TaskSettings.Kind = .simple, madeAt: Timestamp = Timestamp(microseconds: 0),
        endError: Int32 = 0
    ) {
        self.observation = observation
        self.origin = origin
        self.cgroup = cgroup
        self.uid = uid
        self.killSignal = killSignal
        self.kind = kind
        self.madeAt = madeAt
        self.endError = endError
    }
}
