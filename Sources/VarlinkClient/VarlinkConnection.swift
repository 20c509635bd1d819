public import Varlink

/// A blocking connection to a Varlink service. Calls go one after another; closed when the value goes away.
///
/// After anything but `ClientError.refused` the connection is used up: every further call throws `connectionClosed`.
public struct VarlinkConnection: ~Copyable, Sendable {
    /// What to do after a reply of a stream.
    public enum Continuation: Sendable { case goOn, stop }

    /// The largest reply that is taken.
    public static let replyLimit = 64 << 20

    private let socket: UnixSocket
    private var frames = FrameSplitter(limit: VarlinkConnection.replyLimit)
    private var isUsedUp = false

    /// Connects to the socket at `path`; `timeout: nil` waits as long as it takes.
    public init(path: String, timeout: Duration? = nil) throws(ConnectError) {
        socket = try UnixSocket(path: path, deadline: Deadline(after: timeout))
    }

    /// Takes over a socket that is connected already; nothing but one call, at most, may have been sent on it.
    public init(taking descriptor: Int32) {
        socket = UnixSocket(taking: descriptor)
    }

    /// For `shutdown(2)` from another thread, which ends a call that waits; the connection stays the owner.
    public var descriptor: Int32 { socket.descriptor }

    /// Calls a method and waits for its one reply.
    public mutating func call(
        _ method: String, _ parameters: JSONObject = JSONObject(), timeout: Duration? = nil
    ) throws(ClientError) -> JSONObject {
        try call(prepared: Self.encode(Call(method: method, parameters: parameters)), timeout: timeout)
    }

    /// Sends a call that is encoded already, with its NUL, and waits for its one reply. The call must be neither
    /// `oneway` nor `more`.
    public mutating func call(prepared message: [UInt8], timeout: Duration? = nil) throws(ClientError) -> JSONObject {
        let deadline = Deadline(after: timeout)
        try send(message, deadline: deadline)
        return try reply(deadline: deadline)
    }

    /// Waits for the one reply to a call that was sent before this connection was taken over.
    public mutating func reply(timeout: Duration? = nil) throws(ClientError) -> JSONObject {
        try reply(deadline: Deadline(after: timeout))
    }

    private mutating func reply(deadline: Deadline) throws(ClientError) -> JSONObject {
        let reply = try receive(deadline: deadline)
        guard !reply.continues else { throw usedUp(.badReply("several replies to a call that wants one")) }
        return reply.parameters
    }

    /// Calls a method with `more` and hands over its replies until the last one, or until `body` says stop, which closes
    /// the connection: the other side then ends the stream. `timeout` is the longest wait for one reply.
    public mutating func stream(
        _ method: String, _ parameters: JSONObject = JSONObject(), timeout: Duration? = nil,
        _ body: (JSONObject) -> Continuation
    ) throws(ClientError) {
        try send(
            Self.encode(Call(method: method, parameters: parameters, more: true)), deadline: Deadline(after: timeout))
        while true {
            let reply = try receive(deadline: Deadline(after: timeout))
            let continuation = body(reply.parameters)
            guard reply.continues else { return }
            if continuation == .stop {
                isUsedUp = true
                return
            }
        }
    }

    /// Calls a method without waiting for anything; there is no reply.
    public mutating func callOneway(
        _ method: String, _ parameters: JSONObject = JSONObject(), timeout: Duration? = nil
    ) throws(ClientError) {
        try send(
            Self.encode(Call(method: method, parameters: parameters, oneway: true)), deadline: Deadline(after: timeout))
    }

    // MARK: Messages

    private static func encode(_ call: Call) -> [UInt8] {
        var message: [UInt8] = []
        call.encode(to: &message)
        return message
    }

    private mutating func send(_ message: [UInt8], deadline: Deadline) throws(ClientError) {
        guard !isUsedUp else { throw .connectionClosed }
        do throws(ClientError) {
            try socket.send(message, deadline: deadline)
        } catch .connectionClosedUnread {
            // The other side may have said why before it hung up: at a limit it answers without reading.
            do throws(ClientError) { _ = try receive(deadline: deadline) } catch {
                if case .refused = error { throw error }
            }
            throw usedUp(.connectionClosedUnread)
        } catch {
            throw usedUp(error)
        }
    }

    /// The next reply; throws `refused` if it is an error.
    private mutating func receive(deadline: Deadline) throws(ClientError) -> Reply {
        while true {
            if let reply = try takeReply() {
                guard let name = reply.error else { return reply }
                throw .refused(CallError(name: name, parameters: reply.parameters))
            }
            do throws(ClientError) {
                let bytes = try socket.receive(deadline: deadline)
                guard !bytes.isEmpty else { throw .connectionClosed }
                frames.append(bytes)
            } catch {
                throw usedUp(error)
            }
        }
    }

    private mutating func takeReply() throws(ClientError) -> Reply? {
        let decoded: Result<Reply, MessageError>?
        do throws(FrameError) {
            decoded = try frames.next { bytes in
                do throws(MessageError) { return .success(try Reply(decoding: bytes)) } catch { return .failure(error) }
            }
        } catch {
            throw usedUp(.badReply("more than \(Self.replyLimit) bytes"))
        }
        switch decoded {
        case nil: return nil
        case .success(let reply)?: return reply
        case .failure(.notJSON(let error))?: throw usedUp(.badReply(error.description))
        case .failure(.notAnObject)?: throw usedUp(.badReply("not an object"))
        case .failure(.badMember(let name))?: throw usedUp(.badReply("bad \(name)"))
        }
    }

    private mutating func usedUp(_ error: ClientError) -> ClientError {
        isUsedUp = true
        return error
    }
}
