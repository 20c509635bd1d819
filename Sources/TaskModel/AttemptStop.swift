/// The stop of an attempt, as it is shown and kept with its run.
public struct AttemptStop: Sendable, Hashable, Codable {
    public var request: StopRequest
    public var since: Timestamp
    /// When the final signal goes out, by the clock as it was when the stop began; `nil`: it does not, or went out.
    public var finalSignalAt: Timestamp?
    /// The final signal went out.
    public var wasKilled: Bool

    public init(request: StopRequest, since: Timestamp, finalSignalAt: Timestamp?, wasKilled: Bool) {
        self.request = request
        self.since = since
        self.finalSignalAt = finalSignalAt
        self.wasKilled = wasKilled
    }
}

/// What the clocks of a living attempt say.
public struct AttemptClocks: Sendable, Hashable, Codable {
    /// When the start or the running time is over, by the clock as it was at the start; `nil`: never.
    public var limitAt: Timestamp?
    /// All of its processes are frozen; by whom, if the shim was asked.
    public var frozenSince: Timestamp?
    public var frozenBy: UInt32?
    /// It has been silent for longer than `SilenceSec=` and was left alone: the last sign.
    public var silentSince: Timestamp?

    public init() {}
}
