import Lifecycle
import Logging
import Store
import Supervisor
import Synchronization
import TaskModel
import Testing

@Suite(.timeLimit(.minutes(1))) struct SupervisorTests {
    private let boot = BootID(high: 1, low: 1)

    private actor Counter: Numbering {
        private var last: Int64 = 0
        func next() -> RunID {
            last += 1
            return RunID(rawValue: last)
        }
    }

    private func request() -> FireRequest {
        FireRequest(
            task: "count", parameters: [],
            settings: TaskSettings(command: .init(path: "/srv/job", arguments: ["/srv/job"], expandsEnvironment: true)),
            identity: RunIdentity(uid: 0, gid: 0, groups: [], userName: "root", home: "/root", shell: "/bin/sh"),
            rights: RunRights(firedBy: 0, users: [0], groups: []),
            script: CheckedScript(configuredPath: "/srv/job", realPath: "/srv/job", device: 1, inode: 1, owner: 0))
    }

    /// Runs `body` beside a supervisor on this store and these shims.
    private func withSupervisor(
        _ store: any Store, _ launching: FakeLaunching, _ body: (Supervisor) async throws -> Void
    ) async throws {
        let supervisor = Supervisor(
            store: store, launching: launching, numbers: Counter(), boot: boot,
            now: { Timestamp(microseconds: 5) }, bootTime: { 0 },
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

    private func end(of id: RunID, _ supervisor: Supervisor) async throws -> Run {
        let feed = await supervisor.subscribe(only: [id])
        while true {
            if let run = try await supervisor.run(id), run.state.isFinal {
                await supervisor.unsubscribe(feed)
                return run
            }
            _ = await feed.next()
        }
    }

    @Test func `a fire is acknowledged when row and go are there`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let run = try await supervisor.fire(request())
            #expect(try await store.run(run.id) != nil)
            #expect(launching.state.withLock { $0.went } == [run.attempts[0].invocation])
            #expect(await supervisor.activeRuns().map(\.id) == [run.id])
        }
    }

    @Test func `an end is told once it is stored, and its traces go`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let run = try await supervisor.fire(request())
            launching.end(run.attempts[0].invocation, .exited(code: 3))
            let ended = try await end(of: run.id, supervisor)
            #expect(ended.state == .failed)
            #expect(try await store.run(run.id)?.attempts.last?.exit == .exited(code: 3))
            #expect(launching.state.withLock { $0.cleaned } == [run.attempts[0].invocation])
            #expect(await supervisor.activeRuns().isEmpty)
        }
    }

    @Test func `a run that the store refuses never runs`() async throws {
        let store = MemoryStore()
        await store.close()
        let launching = FakeLaunching()
        let supervisor = Supervisor(
            store: store, launching: launching, numbers: Counter(), boot: boot,
            now: { Timestamp(microseconds: 5) }, bootTime: { 0 },
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { await supervisor.run() }
        await #expect(throws: FireRefusal.self) { () async throws in _ = try await supervisor.fire(request()) }
        running.cancel()
        await running.value
        #expect(launching.state.withLock { $0.went }.isEmpty)
    }

    @Test func `a run that cannot be launched is refused and recorded as failed`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        launching.state.withLock {
            $0.refusal = LaunchRefusal(step: "cgroup", errno: 13, message: "cgroup: no", remedy: "look")
        }
        try await withSupervisor(store, launching) { supervisor in
            await #expect(throws: FireRefusal.self) { () async throws in _ = try await supervisor.fire(request()) }
            let ended = try await end(of: RunID(rawValue: 1), supervisor)
            #expect(ended.state == .failed)
        }
    }

    @Test func `a run whose shim dies is lost after its cgroup is empty, no other is touched`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let run = try await supervisor.fire(request())
            let other = try await supervisor.fire(request())
            launching.killShim(run.attempts[0].invocation)
            #expect(try await end(of: run.id, supervisor).state == .lost)
            #expect(launching.state.withLock { $0.emptied } == [run.id])
            #expect(try await supervisor.run(other.id)?.state == .running)
        }
    }

    @Test func `a run is not over before its cgroup is empty, however long that takes`() async throws {
        let launching = FakeLaunching()
        launching.state.withLock { $0.emptyFailures = 1 }
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let run = try await supervisor.fire(request())
            launching.killShim(run.attempts[0].invocation)
            #expect(try await end(of: run.id, supervisor).state == .lost)
            #expect(launching.state.withLock { $0.emptied } == [run.id])
        }
    }

    /// Memory above 100 bytes in 2 of 3 samples; the first and the third are.
    private func fireWithCondition(
        _ action: ConditionSettings.Action, _ supervisor: Supervisor, _ launching: FakeLaunching,
        _ change: (inout TaskSettings) -> Void = { _ in }
    ) async throws -> (RunID, InvocationID) {
        var request = request()
        change(&request.settings)
        request.settings.conditions.memory.above = .absolute(100)
        request.settings.conditions.memory.times = .init(least: 2, of: 3)
        request.settings.conditions.memory.interval = 100_000
        request.settings.conditions.memory.action = action
        let run = try await supervisor.fire(request)
        let id = run.attempts[0].invocation
        launching.state.withLock { $0.memory[id] = [101, 50, nil, 102, 999, 999] }
        launching.write(id) { $0.phase = .started }
        return (run.id, id)
    }

    @Test func `a condition that is met stops the attempt, and the samples are told with the end`() async throws {
        let launching = FakeLaunching()
        let store = MemoryStore()
        try await withSupervisor(store, launching) { supervisor in
            let (run, id) = try await fireWithCondition(.kill, supervisor, launching)
            while launching.state.withLock({ $0.requests.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
            #expect(launching.state.withLock { $0.requests } == [StopRequest(cause: .memoryLimit, uid: 0)])
            launching.write(id) { $0.stop = StopRequest(cause: .memoryLimit, uid: 0) }
            launching.end(id, .signaled(signal: 15, coreDumped: false))
            let end = try await end(of: run, supervisor)
            #expect(end.state == .failed && end.reason?.kind == .memoryLimit)
            #expect(end.reason?.text.contains("2 of 3 samples: *101 B, 50 B, *102 B") == true)
            #expect(try await store.run(run)?.attempts.first?.conditions?.map(\.samples) == [[101, 50, 102]])
            #expect(launching.state.withLock { $0.requests.count } == 1)
        }
    }

    @Test func `a condition that only notifies is shown while the run goes on`() async throws {
        let launching = FakeLaunching()
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let (run, id) = try await fireWithCondition(.notify, supervisor, launching)
            while try await supervisor.run(run)?.attempts.first?.conditions == nil {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await supervisor.run(run)?.state == .running)
            #expect(launching.state.withLock { $0.requests } == [])
            launching.end(id, .exited(code: 0))
            let end = try await end(of: run, supervisor)
            #expect(end.state == .succeeded && end.attempts.first?.conditions?.count == 1)
        }
    }

    @Test func `a condition that restarts has the next attempt looked at anew`() async throws {
        let launching = FakeLaunching()
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let (run, id) = try await fireWithCondition(.restart, supervisor, launching) {
                $0.restartKillSignal = 10
            }
            while launching.state.withLock({ $0.requests.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
            let stop = StopRequest(cause: .memoryLimit, signal: 10, uid: 0)
            #expect(launching.state.withLock { $0.requests } == [stop])
            launching.write(id) { $0.stop = stop }
            launching.end(id, .signaled(signal: 10, coreDumped: false))
            while try await supervisor.run(run)?.state != .queued { try await Task.sleep(for: .milliseconds(5)) }
            try await supervisor.retry(run)
            let second = try #require(try await supervisor.run(run)?.attempts.last)
            #expect(try await supervisor.run(run)?.attempts[0].conditions?.map(\.samples) == [[101, 50, 102]])
            launching.state.withLock { $0.memory[second.invocation] = [103, 104] }
            launching.write(second.invocation) { $0.phase = .started }
            while launching.state.withLock({ $0.requests.count }) != 2 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await supervisor.run(run)?.attempts[1].conditions?.map(\.samples) == [[103, 104]])
        }
    }

    @Test func `a condition that freezes takes no samples until the thaw, and then begins anew`() async throws {
        let launching = FakeLaunching()
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let (run, id) = try await fireWithCondition(.freeze, supervisor, launching)
            let freeze = StopRequest(cause: .freeze, uid: .max)
            while launching.state.withLock({ $0.requests }) != [freeze] { try await Task.sleep(for: .milliseconds(5)) }
            launching.write(id) { $0.clocks.frozenSince = Timestamp(microseconds: 1) }
            while try await supervisor.run(run)?.attempts[0].clocks?.frozenSince == nil {
                try await Task.sleep(for: .milliseconds(5))
            }
            launching.state.withLock { $0.memory[id] = [104, 105, 106, 107] }
            try await Task.sleep(for: .milliseconds(300))
            #expect(launching.state.withLock { $0.memory[id] } == [104, 105, 106, 107])
            launching.write(id) { $0.clocks.frozenSince = nil }
            while launching.state.withLock({ $0.requests }) != [freeze, freeze] {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await supervisor.run(run)?.attempts[0].conditions?.map(\.samples) == [[104, 105]])
        }
    }

    @Test func `a record that cannot be read for a while costs nothing`() async throws {
        let launching = FakeLaunching()
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let run = try await supervisor.fire(request())
            let id = run.attempts[0].invocation
            launching.state.withLock { $0.records[id]?.isUnreadable = true }
            launching.end(id, .exited(code: 7))
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await supervisor.run(run.id)?.state.isFinal == false)
            #expect(launching.state.withLock { $0.emptied.isEmpty && $0.setAside.isEmpty })
            launching.state.withLock { $0.records[id]?.isUnreadable = false }
            #expect(try await end(of: run.id, supervisor).attempts.last?.exit == .exited(code: 7))
        }
    }

    @Test func `an attempt that could not be watched at first is watched later`() async throws {
        let launching = FakeLaunching()
        launching.state.withLock { $0.watchFailures = 1 }
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let run = try await supervisor.fire(request())
            while launching.state.withLock({ $0.watchFailures }) > 0 { try await Task.sleep(for: .milliseconds(1)) }
            // Ends, and nobody is told.
            launching.state.withLock { state in
                state.records[run.attempts[0].invocation]?.observation.phase = .emptied
                state.records[run.attempts[0].invocation]?.observation.exit = .exited(code: 0)
                state.records[run.attempts[0].invocation]?.observation.shimPID = nil
            }
            #expect(try await end(of: run.id, supervisor).state == .succeeded)
        }
    }

    @Test func `a run whose end is being stored is not looked at again`() async throws {
        let store = HeldStore(.finish)
        let launching = FakeLaunching()
        try await withSupervisor(store, launching) { supervisor in
            let first = try await supervisor.fire(request()).attempts[0].invocation
            let second = try await supervisor.fire(request())
            launching.end(first, .exited(code: 0))
            await store.isHolding()
            let looks = launching.state.withLock { $0.looks[first] }
            launching.killShim(first)
            launching.killShim(second.attempts[0].invocation)
            while launching.state.withLock({ $0.emptied }) != [second.id] {
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(launching.state.withLock { $0.looks[first] } == looks)
            await store.goOn()
        }
    }

    @Test func `a supervisor that is to leave finishes the ends that are being stored`() async throws {
        let store = HeldStore(.finish)
        let launching = FakeLaunching()
        let supervisor = Supervisor(
            store: store, launching: launching, numbers: Counter(), boot: boot,
            now: { Timestamp(microseconds: 5) }, bootTime: { 0 },
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { await supervisor.run() }
        let run = try await supervisor.fire(request())
        launching.end(run.attempts[0].invocation, .exited(code: 0))
        await store.isHolding()
        running.cancel()
        let release = Task {
            try await Task.sleep(for: .milliseconds(20))
            await store.goOn()
        }
        await running.value
        #expect(launching.state.withLock { $0.cleaned } == [run.attempts[0].invocation])
        try await release.value
    }

    @Test func `another supervisor goes on where the first was killed`() async throws {
        let store = MemoryStore()
        let launching = FakeLaunching()
        var runs: [Run] = []
        try await withSupervisor(store, launching) { supervisor in
            for _ in 0..<4 { runs.append(try await supervisor.fire(request())) }
        }
        // While nobody supervises: one ends, one loses its shim, one says something.
        let ids = runs.map { $0.attempts[0].invocation }
        let second = FakeLaunching()
        second.state.withLock { state in state.records = launching.state.withLock { $0.records } }
        second.end(ids[0], .exited(code: 7))
        second.killShim(ids[1])
        second.write(ids[2]) { $0.status = "18 of 30" }
        try await withSupervisor(store, second) { supervisor in
            let first = try await end(of: runs[0].id, supervisor)
            #expect(first.state == .failed)
            #expect(first.attempts.last?.exit == .exited(code: 7))
            #expect(try await end(of: runs[1].id, supervisor).state == .lost)
            #expect(try await supervisor.run(runs[2].id)?.status == "18 of 30")
            #expect(await supervisor.stop(runs[3].id, StopRequest(cause: .kill, uid: 0)))
            #expect(second.state.withLock { $0.requests } == [StopRequest(cause: .kill, uid: 0)])
            #expect(second.state.withLock { $0.went }.isEmpty, "nothing may run twice")
        }
    }

    @Test func `a record whose row is gone brings it back`() async throws {
        let launching = FakeLaunching()
        var fired: Run?
        try await withSupervisor(MemoryStore(), launching) { fired = try await $0.fire(request()) }
        let run = try #require(fired)
        let empty = MemoryStore()
        let second = FakeLaunching()
        second.state.withLock { state in state.records = launching.state.withLock { $0.records } }
        try await withSupervisor(empty, second) { supervisor in
            let feed = await supervisor.subscribe(only: [run.id])
            while try await supervisor.run(run.id) == nil { _ = await feed.next() }
            second.end(run.attempts[0].invocation, .exited(code: 0))
            #expect(try await end(of: run.id, supervisor).state == .succeeded)
        }
    }

    @Test(arguments: [nil, StoreError.full("no space left")])
    func `a run that comes back is shown as its record says before its row is there`(failure: StoreError?) async throws
    {
        let launching = FakeLaunching()
        var fired: Run?
        try await withSupervisor(MemoryStore(), launching) { fired = try await $0.fire(request()) }
        let run = try #require(fired)
        launching.write(run.attempts[0].invocation) { $0.phase = .started }
        let second = FakeLaunching()
        second.state.withLock { state in state.records = launching.state.withLock { $0.records } }
        let store = HeldStore()
        if let failure { await store.rows.fail(with: failure) }
        try await withSupervisor(store, second) { supervisor in
            await store.isHolding()
            let shown = try await supervisor.run(run.id)
            #expect(shown?.state == .running)
            #expect(await supervisor.stop(run.id, StopRequest(cause: .kill, uid: 0)), "a kill waits for no disk")
            await store.goOn()
            second.end(run.attempts[0].invocation, .exited(code: 0))
            let ended = try await end(of: run.id, supervisor)
            #expect(ended.attempts.last?.exit == .exited(code: 0))
            let row = try await store.run(run.id)
            #expect(row?.state.isFinal == true)
        }
    }

    @Test func `a watcher hears of each change, and of the end`() async throws {
        let launching = FakeLaunching()
        try await withSupervisor(MemoryStore(), launching) { supervisor in
            let run = try await supervisor.fire(request())
            let feed = await supervisor.subscribe(only: [run.id])
            launching.write(run.attempts[0].invocation) { $0.progress = Progress(done: 3, total: 5) }
            while try await supervisor.run(run.id)?.progress != Progress(done: 3, total: 5) { _ = await feed.next() }
            launching.end(run.attempts[0].invocation, .exited(code: 0))
            #expect(try await end(of: run.id, supervisor).progress == Progress(done: 3, total: 5))
        }
    }
}
