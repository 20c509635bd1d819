internal import Glibc
internal import Varlink

/// What a client can make the server hold.
public struct Limits: Sendable {
    /// The largest message in bytes.
    public var messageBytes = 1 << 20
    /// A message must be complete this long after its first bytes. A connection that sends nothing may stay.
    public var messageTime = Duration.seconds(10)
    /// Unsent bytes of a connection from which on a stream waits for its client.
    public var unsentBytes = 64 << 10
    /// Connections of one user.
    public var connectionsPerUser = 256
    /// Connections in all.
    public var connections = 10_000
    /// How many of all are kept for root, so that it can look and kill while users hold the rest.
    public var connectionsForRoot = 64
    /// Bytes of messages that are not finished, per user; small messages do not count.
    public var pendingBytesPerUser = 16 << 20
    /// Only root's connections get a descriptor with this number or a higher one: they are given out from below, so the
    /// last ones are kept for it and for this process.
    public var userDescriptors = Int32.max
    /// Clients that may wait to be accepted.
    public var backlog: Int32 = 1024
    /// How long calls may go on, cancelled, when the server stops: a fire that waits for a slow disk is still answered.
    public var stopTime = Duration.seconds(5)
    /// The error that a client is told a limit with; its parameters are `limit`, `message` and `remedy`.
    public var errorName = "io.faf.Supervisor.LimitReached"

    public init() {}

    /// The same, as far as the descriptors of this process (RLIMIT_NOFILE) allow: at most half of them are for clients,
    /// and no user but root gets more than half of what is left beside root's.
    public func fitting(descriptors: Int) -> Limits {
        var limits = self
        limits.connections = min(connections, max(4, descriptors / 2))
        limits.userDescriptors = Int32(clamping: descriptors - max(8, min(64, descriptors / 8)))
        limits.connectionsForRoot = min(connectionsForRoot, limits.connections / 4)
        limits.connectionsPerUser = min(
            connectionsPerUser, max(1, (limits.connections - limits.connectionsForRoot) / 2))
        return limits
    }

    /// The soft RLIMIT_NOFILE of this process.
    static var descriptors: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }
}

/// A limit that a client has reached.
enum LimitReached: String, Sendable {
    case messageBytes = "message"
    case messageTime = "message-time"
    case connectionsPerUser = "connections-per-user"
    case connections = "connections"
    case pendingBytesPerUser = "pending-bytes-per-user"
}

extension Limits {
    /// What a client is told.
    func reply(_ limit: LimitReached) -> Reply {
        let (message, remedy) =
            switch limit {
            case .messageBytes: ("the message has more than \(messageBytes) bytes", "pass large input in a file")
            case .messageTime: ("the message was not complete in \(messageTime)", "send whole messages")
            case .connectionsPerUser:
                ("this user has \(connectionsPerUser) connections already", "close those that are not used")
            case .connections: ("there are too many connections already", "try again later")
            case .pendingBytesPerUser:
                (
                    "this user has \(pendingBytesPerUser) bytes of messages under way",
                    "send fewer or smaller ones at once"
                )
            }
        var parameters = JSONObject()
        parameters["limit"] = .string(limit.rawValue)
        parameters["message"] = .string(message)
        parameters["remedy"] = .string(remedy)
        return Reply(parameters: parameters, error: errorName)
    }
}
