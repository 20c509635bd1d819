import Lifecycle
import Logging
import Store
import Supervisor
import Synchronization
import TaskModel
import Testing

/// The last lines of attempts.
@Suite(.timeLimit(.minutes(1))) struct OutputTests {
    private static let begin = ContinuousClock.now
    /// µs since the tests began.
    private static var up: UInt64 {
        let begin = begin
        return UInt64((ContinuousClock.now - begin) / .microseconds(1))
    }

    private actor Counter: Numbering {
        private var last: Int64 = 0
        func next() -> RunID {
            last += 1
            return RunID(rawValue: last)
        }
    }

    /// Reading may take until `goOn`, and fail the first time.
    private final class Output: OutputReading {
        struct State {
            var size: UInt64 = 0
            var isHeld = false
            var isBroken = false
            var reads = 0
            var held: [CheckedContinuation<Void, Never>] = []
        }
        let state = Mutex(State())

        func outputEnd(of run: Run) -> UInt64? { state.withLock { $0.size } }

        func lastLines(of attempt: Attempt, _ run: Run, before end: UInt64?) async throws(OutputRefusal) -> OutputTail?
        {
            state.withLock { $0.reads += 1 }
            await withCheckedContinuation { continuation in
                let isHeld = state.withLock { state in
                    if state.isHeld { state.held.append(continuation) }
                    return state.isHeld
                }
                if !isHeld { continuation.resume() }
            }
            if state.withLock({ $0.isBroken && $0.reads == 1 }) {
                throw OutputRefusal(message: "the journal: it is gone")
            }
            return OutputTail(["\(attempt.outputStart ?? 0)-\(end ?? 0)"])
        }

        func goOn() {
            let held = state.withLock { state in
                defer { (state.held, state.isHeld) = ([], false) }
                return state.held
            }
            for continuation in held { continuation.resume() }
        }
    }

    private func withSupervisor(
        _ store: any Store, _ launching: FakeLaunching, _ output: Output, _ body: (Supervisor) async throws -> Void
    ) async throws {
        let supervisor = Supervisor(
            store: store, launching: launching, numbers: Counter(), boot: BootID(high: 1, low: 1),
            now: { Timestamp(microseconds: 5) }, bootTime: { Self.up },
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await supervisor.join(triggering: nil, output: output)
        try await supervisor.readRows()
        let running = Task { await supervisor.run() }
        do {
            try await body(supervisor)
            output.goOn()
            running.cancel()
            await running.value
        } catch {
            output.goOn()
            running.cancel()
            await running.value
            throw error
        }
    }

    private func request() -> FireRequest {
        var request = FireRequest(
            task: "count", parameters: [],
            settings: TaskSettings(command: .init(path: "/srv/job", arguments: ["/srv/job"], expandsEnvironment: true)),
            identity: RunIdentity(uid: 0, gid: 0, groups: [], userName: "root", home: "/root", shell: "/bin/sh"),
            rights: RunRights(firedBy: 0, users: [0], groups: []),
            script: CheckedScript(configuredPath: "/srv/job", realPath: "/srv/job", device: 1, inode: 1, owner: 0))
        request.settings.retry.mode = .onFailure
        request.settings.retry.delay = 0
        request.settings.retry.limit = 1
        return request
    }

    private func run(_ id: RunID, _ supervisor: Supervisor, _ isSo: (Run) -> Bool) async throws -> Run {
        let feed = await supervisor.subscribe(only: [id])
        while true {
            if let run = try await supervisor.run(id), isSo(run) {
                await supervisor.unsubscribe(feed)
                return run
            }
            _ = await feed.next()
        }
    }

    /// Fires a run whose two attempts fail, each after it has written.
    private func failTwice(_ supervisor: Supervisor, _ launching: FakeLaunching, _ output: Output) async throws -> Run {
        let fired = try await supervisor.fire(request())
        for number in 1...2 {
            let run = try await run(fired.id, supervisor) { $0.attempts.last?.number == number && $0.state == .running }
            output.state.withLock { $0.size += 10 }
            launching.end(try #require(run.attempts.last?.invocation), .exited(code: 3))
        }
        return try await run(fired.id, supervisor) { $0.state.isFinal }
    }

    @Test func `each attempt has what it wrote itself, in the store too`() async throws {
        let (store, launching, output) = (MemoryStore(), FakeLaunching(), Output())
        let expected = [1: try #require(OutputTail(["0-10"])), 2: try #require(OutputTail(["10-20"]))]
        try await withSupervisor(store, launching, output) { supervisor in
            let run = try await failTwice(supervisor, launching, output)
            #expect(try await supervisor.tails(of: run.id) == expected)
            #expect(try await store.tails(of: run.id) == expected)
            #expect(try await store.run(run.id)?.attempts.map(\.outputStart) == [nil, 10])
        }
    }

    @Test func `neither a retry nor an end waits until they are read`() async throws {
        let (store, launching, output) = (MemoryStore(), FakeLaunching(), Output())
        output.state.withLock { $0.isHeld = true }
        try await withSupervisor(store, launching, output) { supervisor in
            let run = try await failTwice(supervisor, launching, output)
            #expect(run.attempts.count == 2 && run.state == .failed)
            #expect(try await supervisor.tails(of: run.id).isEmpty)
        }
    }

    @Test func `what cannot be read or stored leaves the end as it is`() async throws {
        for breaksStore in [false, true] {
            let (store, launching, output) = (MemoryStore(), FakeLaunching(), Output())
            output.state.withLock { ($0.isBroken, $0.isHeld) = (!breaksStore, true) }
            try await withSupervisor(store, launching, output) { supervisor in
                let run = try await failTwice(supervisor, launching, output)
                while output.state.withLock({ $0.held.isEmpty }) { await Task.yield() }
                if breaksStore { await store.fail(with: .full("no room")) }
                output.goOn()
                #expect(try await supervisor.tails(of: run.id).keys.sorted() == [2])
                #expect(try await store.run(run.id)?.state == .failed)
            }
        }
    }

    @Test func `nothing is read of an attempt that has written nothing`() async throws {
        let (store, launching, output) = (MemoryStore(), FakeLaunching(), Output())
        try await withSupervisor(store, launching, output) { supervisor in
            let run = try await supervisor.fire(request())
            launching.end(run.attempts[0].invocation, .exited(code: 0))
            _ = try await self.run(run.id, supervisor) { $0.state.isFinal }
            #expect(try await supervisor.tails(of: run.id).isEmpty)
            #expect(output.state.withLock { $0.reads } == 0)
        }
    }
}
