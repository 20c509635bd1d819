internal import NIOCore
internal import Synchronization
public import Varlink

/// Sends the replies to one call.
public final class ReplyWriter: Sendable {
    /// The caller takes several replies. A method that needs this throws `VarlinkFailure.expectedMore` otherwise.
    public let wantsMore: Bool

    /// The caller takes no replies; whatever is sent is dropped.
    public let isOneway: Bool

    private let number: UInt64
    private let connection: NIOLoopBound<ConnectionHandler>
    private let isFinished = Atomic(false)

    init(call: Call, number: UInt64, connection: NIOLoopBound<ConnectionHandler>) {
        wantsMore = call.more
        isOneway = call.oneway
        self.number = number
        self.connection = connection
    }

    /// Sends a reply; `parameters` is an object. With `continues` more replies follow, and `send` waits until the client
    /// has room for them; the last reply is handed over without waiting.
    ///
    /// Throws `expectedMore` if the call takes one reply only, and `clientGone` when the client has left.
    public func send(_ parameters: JSON, continues: Bool) async throws(VarlinkFailure) {
        if continues && !wantsMore { throw .expectedMore }
        guard !isFinished.load(ordering: .acquiring) else { throw .clientGone }
        if case .object = parameters {} else { assertionFailure("the parameters of a reply are an object") }
        let reply = Reply(parameters: parameters.objectValue ?? JSONObject(), continues: continues)
        if continues {
            guard await waitForRoom(sending: encoded(reply)) else { throw .clientGone }
        } else if isFinished.exchange(true, ordering: .acquiringAndReleasing) == false {
            let bytes = encoded(reply)
            connection.eventLoop.execute { [connection, number] in connection.value.send(bytes, last: true, of: number)
            }
        }
    }

    /// The call has returned or thrown: what it has not answered is answered now.
    func finish(_ failure: VarlinkFailure?) {
        var bytes: [UInt8]?
        if isFinished.exchange(true, ordering: .acquiringAndReleasing) == false {
            bytes = encoded(failure?.reply ?? Reply())
        }
        connection.eventLoop.execute { [connection, number, bytes] in connection.value.finish(number, sending: bytes) }
    }

    /// The call is over without its last reply: the client has left, or the server stops and closes the connection.
    func abandon() {
        isFinished.store(true, ordering: .releasing)
        connection.eventLoop.execute { [connection, number] in connection.value.finish(number, sending: nil) }
    }

    private func encoded(_ reply: Reply) -> [UInt8] {
        var bytes: [UInt8] = []
        if !isOneway { reply.encode(to: &bytes) }
        return bytes
    }

    private func waitForRoom(sending bytes: [UInt8]) async -> Bool {
        await withCheckedContinuation { continuation in
            connection.eventLoop.execute { [connection, number] in
                connection.value.send(bytes, last: false, of: number, room: continuation)
            }
        }
    }
}
