internal import Glibc
public import Varlink

/// Why there is no connection.
public enum ConnectError: Error, Sendable, Hashable {
    /// There is no socket at this path: nothing has ever listened there, or its directory is missing.
    case noSuchSocket(path: String)
    /// The socket is there and nobody listens on it.
    case refused(path: String)
    /// The caller may not write to the socket or not enter its directory.
    case permissionDenied(path: String)
    /// The kernel takes at most 107 bytes as a socket's path.
    case pathTooLong(path: String)
    /// The other side did not accept the connection in time.
    case timedOut(path: String)
    case system(call: String, errno: Int32, path: String)
}

extension ConnectError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noSuchSocket(let path): "there is no socket \(path)"
        case .refused(let path): "nobody listens on \(path)"
        case .permissionDenied(let path): "no permission to connect to \(path)"
        case .pathTooLong(let path): "\(path) is too long for a socket's path (at most 107 bytes)"
        case .timedOut(let path): "\(path) did not accept the connection in time"
        case .system(let call, let errno, let path): "\(call) \(path): \(errorText(errno))"
        }
    }
}

/// The error that the other side answered with.
public struct CallError: Error, Sendable, Hashable {
    /// Qualified: `io.faf.Supervisor.NoSuchTask`.
    public var name: String
    public var parameters: JSONObject

    public init(name: String, parameters: JSONObject) {
        self.name = name
        self.parameters = parameters
    }
}

/// Why a call has no result.
public enum ClientError: Error, Sendable, Hashable {
    /// The other side answered with an error; the connection can be used for further calls.
    case refused(CallError)
    /// No answer in time. What the call did is not known. The connection is closed.
    case timedOut
    /// The other side closed the connection. What the call did is not known.
    case connectionClosed
    /// The other side closed the connection and had not read the whole call: it has done nothing, and the call may be sent
    /// again over another connection.
    case connectionClosedUnread
    /// The other side does not keep to the protocol. The connection is closed.
    case badReply(String)
    case system(call: String, errno: Int32)
}

extension ClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let error):
            if case .string(let message)? = error.parameters["message"] { message } else { error.name }
        case .timedOut: "no answer in time"
        case .connectionClosed: "the other side closed the connection"
        case .connectionClosedUnread: "the other side closed the connection before it read the call"
        case .badReply(let why): "the other side sent something that is no reply: \(why)"
        case .system(let call, let errno): "\(call): \(errorText(errno))"
        }
    }
}

private func errorText(_ errno: Int32) -> String {
    guard let text = strerror(errno) else { return "error \(errno)" }
    return String(cString: text)
}
