/// The tasks that a unit has fired when its runs end (`OnSuccess=`, `OnFailure=`, `OnAttemptFailure=`).
///
/// Stored with the run: a field added later has to be optional.
public struct FollowUps: Sendable, Hashable, Codable {
    public var onSuccess: [String] = []
    public var onFailure: [String] = []
    public var onAttemptFailure: [String] = []

    public init() {}

    public subscript(_ event: RunTrigger.Event) -> [String] {
        switch event {
        case .onSuccess: onSuccess
        case .onFailure: onFailure
        case .onAttemptFailure: onAttemptFailure
        }
    }
}

/// Why a run was fired that follows on another one. Stored with the run.
public struct RunTrigger: Sendable, Hashable, Codable {
    /// The setting that names what is fired.
    public enum Event: String, Sendable, Hashable, Codable, CaseIterable {
        case onSuccess = "OnSuccess"
        case onFailure = "OnFailure"
        case onAttemptFailure = "OnAttemptFailure"
    }

    public var event: Event
    /// The run that ended, or whose attempt did.
    public var run: RunID
    public var task: String
    public var attempt: Int?
    public var invocation: InvocationID?
    public var result: Reason.Kind
    public var exit: ProcessExit?
    /// 1: that run was fired by somebody; 2: it followed on another one itself, and so on.
    public var depth: Int

    /// - Parameter ended: the row with its end.
    public init(_ event: Event, _ ended: Run) {
        let attempt = ended.attempts.last
        self.event = event
        run = ended.id
        task = ended.task
        self.attempt = attempt?.number
        invocation = attempt?.invocation
        result = (attempt?.reason ?? ended.reason)?.kind ?? .lost
        exit = attempt?.exit
        depth = (ended.trigger?.depth ?? 0) + 1
    }
}
