public import FafAPI
public import Varlink

/// The client for code that must not block: each call waits on a thread of its own.
///
/// Cancelling the task that awaits a call closes the call's connection and throws `FafError.Code.cancelled`; a fire that
/// was on its way may have taken effect. Streams end when their iterator goes away.
public final class AsyncClient: Sendable {
    private let client: Client

    /// Connects to nothing yet.
    public init(socketPath: String = SocketLocation.find(), timeout: Duration? = .seconds(30)) {
        client = Client(socketPath: socketPath, timeout: timeout)
    }

    /// Calls a method that answers once.
    public func call<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request
    ) async throws(FafError) -> Method.Reply {
        let client = client
        let interruption = Interruption()
        let result: Result<Method.Reply, FafError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isStarted = BlockingThread.start {
                    do throws(FafError) {
                        continuation.resume(
                            returning: .success(
                                try client.call(
                                    method, request, timeout: client.timeout, interruption: interruption)))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
                if !isStarted { continuation.resume(returning: .failure(.noThread)) }
            }
        } onCancel: {
            interruption.cancel()
        }
        return try result.get()
    }

    /// Calls a method with `more`; the call is made when iteration starts, once per iterator.
    public func stream<Method: WireMethod>(
        _ method: Method.Type, _ request: Method.Request
    ) -> Replies<Method.Reply> {
        let client = client
        return Replies { interruption, body throws(FafError) in
            try client.stream(method, request, interruption: interruption) { body($0) ? .goOn : .stop }
        }
    }
}

// The methods of io.faf.Supervisor, as in `Client`.
extension AsyncClient {
    public func fire(_ task: String, parameters: JSONObject = JSONObject()) async throws(FafError) -> Wire.Run {
        try await call(Wire.Fire.self, .init(task: task, parameters: parameters)).run
    }

    @discardableResult
    public func kill(run: Int64, signal: String? = nil, whom: String? = nil) async throws(FafError) -> [Int64] {
        try await call(Wire.Kill.self, .init(run: run, signal: signal, whom: whom)).runs
    }

    @discardableResult
    public func kill(task: String, signal: String? = nil, whom: String? = nil) async throws(FafError) -> [Int64] {
        try await call(Wire.Kill.self, .init(task: task, signal: signal, whom: whom)).runs
    }

    @discardableResult
    public func freeze(run: Int64) async throws(FafError) -> Wire.Run {
        try await call(Wire.Freeze.self, .init(run: run)).run
    }

    @discardableResult
    public func thaw(run: Int64) async throws(FafError) -> Wire.Run {
        try await call(Wire.Thaw.self, .init(run: run)).run
    }

    @discardableResult
    public func retry(run: Int64) async throws(FafError) -> Wire.Run {
        try await call(Wire.Retry.self, .init(run: run)).run
    }

    @discardableResult
    public func cancel(run: Int64) async throws(FafError) -> Wire.Run {
        try await call(Wire.Cancel.self, .init(run: run)).run
    }

    public func run(_ number: Int64) async throws(FafError) -> Wire.Run {
        try await call(Wire.GetRun.self, .init(run: number)).run
    }

    public func runs(task: String? = nil, limit: Int64? = nil) async throws(FafError) -> [Wire.Run] {
        var runs: [Wire.Run] = []
        for try await reply in stream(Wire.ListRuns.self, .init(task: task, limit: limit)) { runs += reply.runs }
        return runs
    }

    public func tasks() async throws(FafError) -> [Wire.TaskInfo] {
        try await call(Wire.ListTasks.self, .init()).tasks
    }

    public func task(_ name: String) async throws(FafError) -> Wire.GetTask.Reply {
        try await call(Wire.GetTask.self, .init(task: name))
    }

    public func wait(for runs: [Int64]) async throws(FafError) -> [Wire.Run] {
        var ended: [Wire.Run] = []
        for try await reply in stream(Wire.Wait.self, .init(runs: runs)) { ended += reply.runs }
        return ended
    }

    /// The run as it is now and at each change, until it is over.
    public func watch(run: Int64) -> Replies<Wire.Watch.Reply> { stream(Wire.Watch.self, .init(run: run)) }

    /// The runs of a task, or all that the caller may see, at each change, without end.
    public func watch(task: String? = nil) -> Replies<Wire.Watch.Reply> { stream(Wire.Watch.self, .init(task: task)) }

    public func readLog(run: Int64, follow: Bool = false, lines: Int64? = nil) -> Replies<Wire.ReadLog.Reply> {
        stream(Wire.ReadLog.self, .init(run: run, follow: follow ? true : nil, lines: lines))
    }

    public func readLog(_ request: Wire.ReadLog.Request) -> Replies<Wire.ReadLog.Reply> {
        stream(Wire.ReadLog.self, request)
    }

    public func reload() async throws(FafError) -> Wire.Reload.Reply { try await call(Wire.Reload.self, .init()) }

    public func info() async throws(FafError) -> Wire.GetInfo.Reply { try await call(Wire.GetInfo.self, .init()) }
}
