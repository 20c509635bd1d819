public import LinuxSystem
public import TaskModel

/// What is on disk of an attempt at the moment it is looked at.
public enum Found: Sendable, Hashable {
    case nothing
    /// `origin` is what the launch left there; `isEnd`: read from the durable end.
    case observation(AttemptObservation, origin: [UInt8], isEnd: Bool)
    /// Not to be believed in any part: why.
    case damaged(String)
    /// Could not be looked at: why. The attempt may be as well as ever.
    case unreadable(String)
    /// Written by a later version: to be shown and killed through its cgroup, never judged or deleted.
    case newer(String)
}

/// A stop request that did not reach a shim.
public enum StopFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// Nobody holds the record's lock.
    case noShim
    case refused(SystemError)

    public var description: String {
        switch self {
        case .noShim: "the attempt has no shim any more"
        case .refused(let error): "the shim cannot be asked: \(error)"
        }
    }
}
