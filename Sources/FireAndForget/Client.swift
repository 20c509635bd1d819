public import FafAPI
import Glibc
import Synchronization
import Varlink
import VarlinkClient

/// Calls fafd and waits for the answers, on the calling thread.
///
/// May be used from several threads: calls that overlap use a connection each. A connection is opened at the first call
/// and kept for the next; a fafd that restarted in between is not noticed.
public final class Client: Sendable {
    /// What to do after a reply of a stream.
    public enum Continuation: Sendable { case goOn, stop }

    public let socketPath: String
    /// The longest wait for an answer; `nil`: as long as it takes. Waiting for runs and reading streams have no limit.
    public let timeout: Duration?

    private let idle = Mutex<VarlinkConnection?>(nil)

    /// Connects to nothing yet.
    public init(socketPath: String = SocketLocation.find(), timeout: Duration? = .seconds(30)) {
        self.socketPath = socketPath
        self.timeout = timeout
    }

    /// Calls a method that answers once.
    public func call<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request
    ) throws(FafError) -> Method.Reply {
        try call(method, request, timeout: timeout, interruption: nil)
    }

    /// Calls a method with `more` and hands over its replies until the last one, or until `body` says stop.
    public func stream<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request, _ body: (Method.Reply) -> Continuation
    ) throws(FafError) {
        try stream(method, request, interruption: nil, body)
    }

    func call<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request, timeout: Duration?, interruption: Interruption?
    ) throws(FafError) -> Method.Reply {
        var resending = Resending(Method.kind, timeout, interruption)
        while true {
            var connection = try connect(interruption, resending.timeLeft)
            let reply: JSONObject
            do throws(ClientError) {
                defer { interruption?.detach() }
                reply = try connection.call(
                    Method.fullName, request.json.objectValue ?? JSONObject(), timeout: resending.timeLeft)
            } catch {
                if case .refused = error { giveBack(connection) }
                if resending.mayGoAgain(after: error) { continue }
                throw FafError(error, Method.kind, interruption: interruption)
            }
            giveBack(connection)
            return try Self.read(Method.self, reply)
        }
    }

    /// `nil`: the call was not read, so it has had no effect.
    func answer<Method: WireMethod>(
        to method: Method.Type, sentOn descriptor: Int32
    ) throws(FafError) -> Method.Reply? {
        var connection = VarlinkConnection(taking: descriptor)
        let reply: JSONObject
        do throws(ClientError) { reply = try connection.reply(timeout: timeout) } catch {
            if case .connectionClosedUnread = error { return nil }
            if case .refused = error { giveBack(connection) }
            throw FafError(error, Method.kind, interruption: nil)
        }
        giveBack(connection)
        return try Self.read(Method.self, reply)
    }

    func stream<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request, interruption: Interruption?,
        _ body: (Method.Reply) -> Continuation
    ) throws(FafError) {
        var resending = Resending(Method.kind, timeout, interruption)
        while true {
            var connection = try connect(interruption, resending.timeLeft)
            var failure: FafError?
            var isStopped = false
            do throws(ClientError) {
                defer { interruption?.detach() }
                try connection.stream(Method.fullName, request.json.objectValue ?? JSONObject()) { reply in
                    resending.isAnswered = true
                    do throws(FafError) {
                        if case .goOn = body(try Self.read(Method.self, reply)) { return .goOn }
                    } catch {
                        failure = error
                    }
                    isStopped = true
                    return .stop
                }
            } catch {
                if case .refused = error { giveBack(connection) }
                if resending.mayGoAgain(after: error) { continue }
                throw FafError(error, Method.kind, interruption: interruption)
            }
            if let failure { throw failure }
            if !isStopped { giveBack(connection) }
            return
        }
    }

    private static func read<Method: WireMethod>(
        _ method: Method.Type, _ reply: JSONObject
    ) throws(FafError) -> Method.Reply {
        do throws(WireError) {
            return try Method.Reply(json: .object(reply))
        } catch {
            throw FafError(
                .badReply, "fafd's answer to \(Method.name) is not as it should be: \(error)",
                remedy: "client and fafd differ in version: restart fafd after an upgrade")
        }
    }

    // MARK: Connections

    private func connect(_ interruption: Interruption?, _ timeout: Duration?) throws(FafError) -> VarlinkConnection {
        let kept = idle.withLock { $0.take() }
        let connection: VarlinkConnection
        if let kept, !Self.hasEnded(kept.descriptor) {
            connection = kept
        } else {
            do throws(ConnectError) {
                connection = try VarlinkConnection(path: socketPath, timeout: timeout)
            } catch {
                throw FafError(error)
            }
        }
        if let interruption, !interruption.attach(connection.descriptor) { throw .wasCancelled }
        return connection
    }

    private func giveBack(_ connection: consuming VarlinkConnection) {
        // One is kept; what calls at the same time opened beside it closes here.
        var kept: VarlinkConnection? = consume connection
        idle.withLock { swap(&$0, &kept) }
    }

    /// A peer that left, or that talks without being asked: such a connection must not carry the next call, because a
    /// call that was sent cannot be sent again without risking a second run.
    private static func hasEnded(_ descriptor: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) != 0
    }
}
