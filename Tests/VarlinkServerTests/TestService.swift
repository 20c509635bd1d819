import Glibc
import LinuxSystem
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Varlink
import VarlinkServer

/// Answers, streams, waits; counts what it was asked.
final class TestService: VarlinkService {
    let interface: InterfaceDescription
    let executed = Mutex<[String]>([])
    let cancelled = Atomic(0)
    let streaming = Atomic(0)
    let sent = Atomic(0)

    init() throws {
        interface = try InterfaceDescription(
            parsing: """
                interface io.faf.Test

                type Pair (left: int, right: ?string)

                method Echo(text: string, pair: ?Pair, object: ?object) -> (text: string)
                method Mark(name: string) -> ()
                method WhoAmI() -> (uid: int, gid: int, groups: []int)
                method Count(to: int) -> (number: int)
                method Endless(size: ?int) -> (text: string)
                method Sleep() -> ()
                method Slow(milliseconds: int) -> (text: string)
                method Work(milliseconds: int) -> (text: string)
                method Fail() -> ()
                method Silent() -> ()
                method Brief() -> (onEventLoop: bool)
                method Long() -> (onEventLoop: bool)

                error Failed (why: string)

                """)
    }

    func isBrief(_ method: String) -> Bool { method == "Brief" }

    func call(
        _ method: String, parameters: JSONObject, caller: Caller, reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        executed.withLock { $0.append(parameters["name"]?.stringValue ?? method) }
        switch method {
        case "Echo":
            try await reply.send(.object(["text": parameters["text"]]), continues: false)
        case "Brief", "Long":
            let wasThere = MultiThreadedEventLoopGroup.currentEventLoop != nil
            // What it has waited for does not take it elsewhere.
            try? await Task.sleep(for: .milliseconds(1))
            let isThere = MultiThreadedEventLoopGroup.currentEventLoop != nil
            #expect(wasThere == isThere)
            try await reply.send(.object(["onEventLoop": .bool(isThere)]), continues: false)
        case "Mark": try await reply.send(.object([:]), continues: false)
        case "WhoAmI":
            try await reply.send(
                .object([
                    "uid": .integer(caller.credentials.uid), "gid": .integer(caller.credentials.gid),
                    "groups": .array(caller.credentials.groups.map { .integer($0) }),
                ]), continues: false)
        case "Count":
            guard reply.wantsMore else { throw .expectedMore }
            let last = parameters["to"]?.integerValue ?? 0
            for number in 1...last {
                try await reply.send(.object(["number": .integer(number)]), continues: number < last)
            }
        case "Endless":
            streaming.add(1, ordering: .relaxed)
            defer { streaming.subtract(1, ordering: .relaxed) }
            let text = String(repeating: "x", count: Int(parameters["size"]?.integerValue ?? 100))
            while true {
                try await reply.send(.object(["text": .string(text)]), continues: true)
                sent.add(1, ordering: .relaxed)
            }
        case "Sleep":
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                cancelled.add(1, ordering: .relaxed)
                throw VarlinkFailure(name: "io.faf.Test.Failed", parameters: .object(["why": .string("cancelled")]))
            }
        case "Slow":
            try? await Task.sleep(for: .milliseconds(parameters["milliseconds"]?.integerValue ?? 0))
            try await reply.send(.object(["text": .string("slow")]), continues: false)
        case "Work":
            // Which nothing cuts short.
            let time = Duration.milliseconds(parameters["milliseconds"]?.integerValue ?? 0)
            await Task.detached { try? await Task.sleep(for: time) }.value
            try await reply.send(.object(["text": .string("done")]), continues: false)
        case "Silent": return
        default: throw VarlinkFailure(name: "io.faf.Test.Failed", parameters: .object(["why": .string("asked to")]))
        }
    }
}

/// A server on a socket of its own, for as long as `body` runs.
func withServer<Output>(
    limits: Limits = Limits(),
    _ body: (_ path: String, _ service: TestService, _ server: VarlinkServer) async throws -> Output
) async throws -> Output {
    let path = "/tmp/faf-varlink-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).sock"
    let listener = try UnixSocket.listen(path: path, mode: 0o666)
    defer { unlink(path) }
    let service = try TestService()
    let server = VarlinkServer(
        vendor: "faf", product: "test", version: "1", url: "https://example.org", services: [service], limits: limits,
        logger: Logger(label: "test"))
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let descriptor = listener.release()
    let running = Task { try await server.run(listening: OwnedDescriptor(owning: descriptor), group: group) }
    let result: Result<Output, any Error>
    // The clients block: they get a thread of their own, so that the pool stays free for the server's calls.
    let clients = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
        result = .success(
            try await withTaskExecutorPreference(LoopExecutor(loop: clients.next())) {
                // Moves over to it; the closure alone would go on where it is called.
                await Task.yield()
                return try await body(path, service, server)
            })
    } catch {
        result = .failure(error)
    }
    running.cancel()
    try await running.value
    try await group.shutdownGracefully()
    try await clients.shutdownGracefully()
    return try result.get()
}

/// Waits for a fact; false if it does not come true.
func eventually(within limit: Duration = .seconds(10), _ fact: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + limit
    while !fact() {
        if ContinuousClock.now > end { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// Runs tasks on an event loop's thread.
private final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
