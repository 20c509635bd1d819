import Lifecycle
import Logging
import Store
import StoreConformance
import Supervisor
import Synchronization
import TaskModel
import Testing

/// What is answered while the rows that a former supervisor left are still being read.
@Suite(.timeLimit(.minutes(1))) struct RowsTests {
    private actor Counter: Numbering {
        private var last: Int64 = 100
        func next() -> RunID {
            last += 1
            return RunID(rawValue: last)
        }
    }

    private let request = FireRequest(
        task: "count", parameters: [],
        settings: TaskSettings(command: .init(path: "/srv/job", arguments: ["/srv/job"], expandsEnvironment: true)),
        identity: RunIdentity(uid: 0, gid: 0, groups: [], userName: "root", home: "/root", shell: "/bin/sh"),
        rights: RunRights(firedBy: 0, users: [0], groups: []),
        script: CheckedScript(configuredPath: "/srv/job", realPath: "/srv/job", device: 1, inode: 1, owner: 0))

    private func ended(_ id: RunID, _ store: HeldStore, _ supervisor: Supervisor) async throws {
        let feed = await supervisor.subscribe(only: [id])
        while try await store.run(id)?.state.isFinal != true { _ = await feed.next() }
        await supervisor.unsubscribe(feed)
    }

    @Test func `fires are answered before the rows are read, and what ends meanwhile does not come back`() async throws
    {
        let store = HeldStore(.activeRuns)
        let launching = FakeLaunching()
        let old = StoreConformance.sampleRun(7, state: .starting)
        let attempt = try #require(old.attempts.last)
        var living = AttemptObservation(
            run: old.id, number: attempt.number, invocation: attempt.invocation, boot: attempt.boot, phase: .started)
        living.shimPID = 99
        launching.state.withLock { $0.records[attempt.invocation] = .init(observation: living, origin: old) }
        try await store.insert(old)
        let supervisor = Supervisor(
            store: store, launching: launching, numbers: Counter(), boot: attempt.boot,
            now: { Timestamp(microseconds: 5) }, bootTime: { 0 },
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await supervisor.join(triggering: nil, output: nil)
        let running = Task { await supervisor.run() }
        // Both are in what is read of the rows.
        let short = try await supervisor.fire(request)
        let long = try await supervisor.fire(request)
        let reading = Task { try await supervisor.readRows() }
        await store.isHolding()
        let third = try await supervisor.fire(request)
        let states = try await supervisor.activeStates { $0.firedBy == 0 || $0 == old.rights }
        #expect(states.values.reduce(0, +) == 4)
        let listing = Task {
            try await supervisor.rowsAreRead()
            return await supervisor.activeNumbers(task: nil)
        }
        launching.end(short.attempts[0].invocation, .exited(code: 0))
        try await ended(short.id, store, supervisor)
        while await supervisor.activeNumbers(task: nil).contains(short.id) { await Task.yield() }

        await store.goOn()
        try await reading.value
        #expect(try await listing.value == [third.id, long.id, old.id])
        running.cancel()
        await running.value
        #expect(launching.state.withLock { $0.went }.count == 3, "nothing is launched twice")
    }

    @Test func `who waits for rows that cannot be read is told so`() async throws {
        let store = HeldStore(.activeRuns)
        let supervisor = Supervisor(
            store: store, launching: FakeLaunching(), numbers: Counter(), boot: BootID(high: 1, low: 1),
            now: { Timestamp(microseconds: 5) }, bootTime: { 0 },
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await store.close()
        let waiting = Task { try await supervisor.rowsAreRead() }
        await #expect(throws: StoreError.self) { try await supervisor.readRows() }
        await #expect(throws: StoreError.self) { try await waiting.value }
    }
}
