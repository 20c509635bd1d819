import Lifecycle
import Logging
import Store
import Supervisor
import Synchronization
import TaskModel
import Testing

@Suite(.timeLimit(.minutes(1))) struct RetryTests {
    private let boot = BootID(high: 1, low: 1)
    private static let begin = ContinuousClock.now
    /// µs since the tests began.
    private static var up: UInt64 {
        let begin = begin
        let up = (ContinuousClock.now - begin).components
        return UInt64(up.seconds) * 1_000_000 + UInt64(up.attoseconds / 1_000_000_000_000)
    }

    private actor Counter: Numbering {
        private var last: Int64 = 0
        func next() -> RunID {
            last += 1
            return RunID(rawValue: last)
        }
    }

    private func request(_ change: (inout RetrySettings) -> Void) -> FireRequest {
        var request = FireRequest(
            task: "count", parameters: [],
            settings: TaskSettings(command: .init(path: "/srv/job", arguments: ["/srv/job"], expandsEnvironment: true)),
            identity: RunIdentity(uid: 0, gid: 0, groups: [], userName: "root", home: "/root", shell: "/bin/sh"),
            rights: RunRights(firedBy: 0, users: [0], groups: []),
            script: CheckedScript(configuredPath: "/srv/job", realPath: "/srv/job", device: 1, inode: 1, owner: 0))
        request.settings.retry.mode = .onFailure
        change(&request.settings.retry)
        return request
    }

    private func withSupervisor(
        _ store: any Store, _ launching: FakeLaunching, _ body: (Supervisor) async throws -> Void
    ) async throws {
        let supervisor = Supervisor(
            store: store, launching: launching, numbers: Counter(), boot: boot,
            now: { Timestamp(microseconds: 5) },
            bootTime: { Self.up },
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await supervisor.join(triggering: nil, output: nil)
        try await supervisor.readRows()
        let running = Task { await supervisor.run() }
        do {
            try await body(supervisor)
            running.cancel()
            await running.value
        } catch {
            running.cancel()
            await running.value
            throw error
        }
    }

    private func refusal(_ body: () async throws -> Void) async -> RetryRefusal? {
        do { try await body() } catch { return error as? RetryRefusal }
        return nil
    }

    /// The run once it `isSo`.
    private func run(
        _ id: RunID, _ supervisor: Supervisor, _ isSo: (Run) -> Bool
    ) async throws -> Run {
        let feed = await supervisor.subscribe(only: [id])
        while true {
            if let run = try await supervisor.run(id), isSo(run) {
                await supervisor.unsubscribe(feed)
                return run
            }
            _ = await feed.next()
        }
    }

    /// The run when this attempt of it has its go.
    private func attempt(_ number: Int, _ id: RunID, _ supervisor: Supervisor) async throws -> Run {
        try await run(id, supervisor) { $0.attempts.last?.number == number && $0.state == .running }
    }

    /// The clock of a machine without a battery is far behind; nothing waits longer than it was to wait in all.
    @Test(arguments: [1_000_000_000_000_000, 3]) func `a wait of another boot has an end`(due: Int64) async throws {
        let launching = FakeLaunching()
        let store = MemoryStore()
        var row = Run(
            id: RunID(rawValue: 7), task: "count", parameters: [], settings: request { $0.delay = 300_000 }.settings,
            identity: request { _ in }.identity, rights: request { _ in }.rights, script: request { _ in }.script,
            priority: 10, state: .queued, queuedAt: Timestamp(microseconds: 1),
            attempts: [Attempt(number: 1, invocation: .random(), boot: BootID(high: 9, low: 9))])
        row.attempts[0].state = .failed
        row.attempts[0].endedAt = Timestamp(microseconds: due - 300_000)
        row.retry = RetryState()
        row.retry?.due = Moment(
            realtime: Timestamp(microseconds: due), boottime: .max, boot: BootID(high: 9, low: 9))
        try await store.insert(row)
        let began = ContinuousClock.now
        try await withSupervisor(store, launching) { supervisor in
            _ = try await run(row.id, supervisor) { $0.attempts.count == 2 }
            #expect(due == 3 || ContinuousClock.now - began >= .milliseconds(300))
        }
    }

    @Test func `a run that fails is tried again until it succeeds`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let fired = try await supervisor.fire(request { $0.limit = 2 })
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            let second = try await attempt(2, fired.id, supervisor)
            #expect(second.attempts[0].reason?.kind == .exitCode)
            #expect(launching.state.withLock { $0.cleaned } == [fired.attempts[0].invocation])
            launching.end(second.attempts[1].invocation, .exited(code: 0))
            let ended = try await run(fired.id, supervisor) { $0.state.isFinal }
            #expect(ended.state == .succeeded)
            #expect(try await store.run(fired.id)?.attempts.map(\.state) == [.failed, .succeeded])
            #expect(launching.state.withLock { $0.violations }.isEmpty)
        }
    }

    @Test func `the wait holds when the supervisor is killed in it`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        var id: RunID?
        try await withSupervisor(store, launching) { supervisor in
            let fired = try await supervisor.fire(request { $0.delay = 300_000 })
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            _ = try await run(fired.id, supervisor) { $0.state == .queued }
            id = fired.id
        }
        let fired = try #require(id)
        #expect(try await store.run(fired)?.state == .queued)
        let second = FakeLaunching()
        try await withSupervisor(store, second) { supervisor in
            let due = try await store.run(fired)?.retry?.due?.boottime ?? 0
            _ = try await attempt(2, fired, supervisor)
            #expect(Self.up >= due)
            #expect(second.state.withLock { $0.went.count } == 1)
        }
    }

    @Test func `what an ended attempt left is removed at the next start`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        var id: RunID?
        try await withSupervisor(store, launching) { supervisor in
            let fired = try await supervisor.fire(request { $0.delay = 3_600_000_000 })
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            id = try await run(fired.id, supervisor) { $0.state == .queued }.id
        }
        let fired = try #require(id)
        let row = try #require(try await store.run(fired))
        let invocation = try #require(row.attempts.first?.invocation)
        // Killed after the row was stored and before the record was removed.
        let second = FakeLaunching()
        second.put(invocation, of: row)
        try await withSupervisor(store, second) { supervisor in
            while !second.state.withLock({ $0.cleaned.contains(invocation) }) { await Task.yield() }
            let shown = try await supervisor.run(fired)
            #expect(shown?.state == .queued)
            #expect(second.state.withLock { $0.went }.isEmpty)
        }
    }

    @Test func `while nothing can be launched a due retry waits, and says why`() async throws {
        let launching = FakeLaunching()
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let fired = try await supervisor.fire(request { _ in })
            launching.state.withLock {
                $0.hold = LaunchRefusal(step: "cgroup", errno: 2, message: "the unit is down", remedy: "start it")
            }
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            let held = try await run(fired.id, supervisor) { $0.reason?.text == "the unit is down" }
            #expect(held.state == .queued)
            launching.state.withLock { $0.hold = nil }
            _ = try await attempt(2, fired.id, supervisor)
        }
    }

    @Test func `a run that waits can be cancelled, and is told so when that is durable`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let fired = try await supervisor.fire(request { $0.delay = 3_600_000_000 })
            #expect(await refusal { try await supervisor.cancel(fired.id, by: 2001) } == .wrongState(.running))
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            _ = try await run(fired.id, supervisor) { $0.state == .queued }
            try await supervisor.cancel(fired.id, by: 2001)
            #expect(try await store.run(fired.id)?.state == .cancelled)
            #expect(await refusal { try await supervisor.cancel(fired.id, by: 2001) } != nil)
        }
    }

    @Test func `a cancel that cannot be stored is refused`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let fired = try await supervisor.fire(request { $0.delay = 3_600_000_000 })
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            _ = try await run(fired.id, supervisor) { $0.state == .queued }
            await store.fail(with: .full("no space left"))
            guard case .refused(.store) = await refusal({ try await supervisor.cancel(fired.id, by: 2001) }) else {
                Issue.record("it was cancelled")
                return
            }
        }
    }

    @Test func `a retry that is wanted now does not wait`() async throws {
        let launching = FakeLaunching()
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let fired = try await supervisor.fire(request { $0.delay = 3_600_000_000 })
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            _ = try await run(fired.id, supervisor) { $0.state == .queued }
            try await supervisor.retry(fired.id)
            #expect(try await supervisor.run(fired.id)?.attempts.map(\.number) == [1, 2])
        }
    }

    @Test func `a kill that no shim can hear holds for the next supervisor`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        // Something of it hangs in the kernel.
        launching.state.withLock { $0.emptyFailures = .max }
        var id = RunID(rawValue: 0)
        try await withSupervisor(store, launching) { supervisor in
            let fired = try await supervisor.fire(request { _ in })
            id = fired.id
            launching.killShim(fired.attempts[0].invocation)
            _ = try await run(id, supervisor) { $0.state == .stopping }
            await store.fail(with: .full("no space left"))
            let kill = StopRequest(cause: .kill, uid: 2001)
            #expect(
                await refusal { _ = try await supervisor.end(fired.id, kill) } != nil, "not stored, and acknowledged")
            #expect(try await supervisor.end(id, kill))
        }
        launching.state.withLock { $0.emptyFailures = 0 }
        try await withSupervisor(store, launching) { supervisor in
            let ended = try await run(id, supervisor) { $0.state != .stopping && $0.state != .starting }
            #expect(ended.state == .lost && ended.attempts.count == 1)
        }
    }

    @Test func `a final run gets another attempt, once, and with the script that is there now`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let fired = try await supervisor.fire(request { $0.mode = .no })
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            _ = try await run(fired.id, supervisor) { $0.state.isFinal }
            let other = CheckedScript(configuredPath: "/srv/job", realPath: "/srv/new", device: 1, inode: 2, owner: 0)
            try await supervisor.reopen(fired.id, script: other)
            let again = await refusal {
                try await supervisor.reopen(fired.id, script: other)
            }
            #expect(again != nil)
            let second = try await attempt(2, fired.id, supervisor)
            #expect(second.script.realPath == "/srv/new")
            launching.end(second.attempts[1].invocation, .exited(code: 0))
            _ = try await run(fired.id, supervisor) { $0.state == .succeeded }
            #expect(launching.state.withLock { $0.went.count } == 2)
            #expect(launching.state.withLock { $0.violations }.isEmpty)
        }
    }

    @Test func `a final run whose row cannot be opened stays as it was`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let fired = try await supervisor.fire(request { $0.mode = .no })
            launching.end(fired.attempts[0].invocation, .exited(code: 3))
            let ended = try await run(fired.id, supervisor) { $0.state.isFinal }
            await store.fail(with: .full("no space left"))
            let refused = await refusal {
                try await supervisor.reopen(fired.id, script: ended.script)
            }
            #expect(refused != nil)
            #expect(try await supervisor.run(fired.id) == ended)
            #expect(launching.state.withLock { $0.went.count } == 1)
        }
    }
}
