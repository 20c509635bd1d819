public import FafAPI
import Glibc
import Synchronization
public import Varlink

/// Something that answers like fafd, for tests of its clients: a socket in a temporary directory, a thread per
/// connection, and a closure that says what comes back.
public final class FakeSupervisor: Sendable {
    /// What to do with a call.
    public enum Answer: Sendable {
        /// One reply, or several to a call with `more`.
        case replies([JSON])
        case failure(String, JSON)
        /// These, then nothing more: the call never ends.
        case hang([JSON])
        case hangUp
        /// As a fafd that is stopped in the middle of a stream.
        case repliesThenHangUp([JSON])
        case raw([UInt8])
    }

    public let path: String
    private let directory: String
    private let listener: Int32
    private let answer: @Sendable (Call, Int) -> Answer
    private let unread: Int
    private let state = Mutex((calls: [Call](), connections: 0, ended: 0))

    /// - Parameter unread: how many connections, the first ones, are closed once a call waits there, which is not read.
    public convenience init(unread: Int = 0, _ answer: @escaping @Sendable (Call) -> Answer) throws {
        try self.init(unread: unread) { call, _ in answer(call) }
    }

    /// The answer may depend on which call it is; the first one is 1.
    public init(unread: Int = 0, _ answer: @escaping @Sendable (Call, Int) -> Answer) throws {
        var template = Array("/tmp/faf-fake.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FakeError(call: "mkdtemp", code: errno) }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = directory + "/s"
        self.answer = answer
        self.unread = unread
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 64) == 0 else { throw FakeError(call: "bind", code: errno) }
        try Self.start { [self] in acceptAll() }
    }

    /// Ends the listening; connections end with their clients.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
        rmdir(directory)
    }

    /// All calls so far, in the order in which they came.
    public var calls: [Call] { state.withLock { $0.calls } }
    public var connections: Int { state.withLock { $0.connections } }
    /// Connections that their clients have closed.
    public var endedConnections: Int { state.withLock { $0.ended } }

    private func acceptAll() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            let number = state.withLock { state in
                state.connections += 1
                return state.connections
            }
            if number <= unread {
                var request = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                _ = poll(&request, 1, 5000)
                close(connection)
                continue
            }
            do { try Self.start { [self] in serve(connection) } } catch { close(connection) }
        }
    }

    private func serve(_ connection: Int32) {
        defer {
            close(connection)
            state.withLock { $0.ended += 1 }
        }
        var frames = FrameSplitter(limit: 1 << 20)
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            frames.append(buffer[..<count])
            while let call = (try? frames.next { Result<Call, MessageError>.of($0) })?.flatMap({ try? $0.get() }) {
                let number = state.withLock { state in
                    state.calls.append(call)
                    return state.calls.count
                }
                let answer = answer(call, number)
                guard send(answer, to: call, connection) else { return }
                if case .repliesThenHangUp = answer { return }
            }
        }
    }

    private func send(_ answer: Answer, to call: Call, _ connection: Int32) -> Bool {
        var bytes: [UInt8] = []
        switch answer {
        case .replies(let replies):
            for (index, reply) in replies.enumerated() {
                Reply(parameters: reply.objectValue ?? JSONObject(), continues: index + 1 < replies.count)
                    .encode(to: &bytes)
            }
        case .failure(let name, let parameters):
            Reply(parameters: parameters.objectValue ?? JSONObject(), error: name).encode(to: &bytes)
        case .hang(let replies), .repliesThenHangUp(let replies):
            for reply in replies {
                Reply(parameters: reply.objectValue ?? JSONObject(), continues: true).encode(to: &bytes)
            }
        case .hangUp: return false
        case .raw(let raw): bytes = raw
        }
        return Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    private static func start(_ body: @escaping @Sendable () -> Void) throws {
        final class Body: Sendable {
            let run: @Sendable () -> Void
            init(_ run: @escaping @Sendable () -> Void) { self.run = run }
        }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(Body(body)).toOpaque())
        guard code == 0 else { throw FakeError(call: "pthread_create", code: code) }
        pthread_detach(thread)
    }
}

public struct FakeError: Error {
    public let call: String
    public let code: Int32
}

extension FakeSupervisor.Answer {
    public static func reply(_ objects: any WireObject...) -> Self { .replies(objects.map { $0.json }) }
    public static func refuse(_ failure: some WireFailure) -> Self {
        .failure(type(of: failure).fullName, failure.json)
    }
}

extension Call {
    /// Without its interface.
    public var name: String { method.split(separator: ".").last.map(String.init) ?? method }
    public var json: JSON { .object(parameters) }
}

extension Result where Success == Call, Failure == MessageError {
    fileprivate static func of(_ bytes: Span<UInt8>) -> Self {
        do throws(MessageError) { return .success(try Call(decoding: bytes)) } catch { return .failure(error) }
    }
}

extension Wire.Run {
    /// A run for tests: started at 10 s, one attempt.
    public static func sample(
        _ number: Int64, task: String = "count", state: String = "running", endedAt: Int64? = nil
    ) -> Wire.Run {
        Wire.Run(
            number: number, task: task, state: state, parameters: JSONObject(), uid: 0, script: "/usr/lib/faf/count",
            priority: 10, queuedAt: 9_000_000, startedAt: 10_000_000, endedAt: endedAt,
            attempts: [
                Wire.Attempt(
                    number: 1, invocationId: "0123456789abcdef0123456789abcdef", state: state, startedAt: 10_000_000,
                    endedAt: endedAt)
            ])
    }
}
