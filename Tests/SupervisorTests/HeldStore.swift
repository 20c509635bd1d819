import Store
import TaskModel

/// Does the first call of a kind and keeps its outcome back until `goOn`, as a busy disk may.
actor HeldStore: Store {
    enum Call { case insert, finish, activeRuns }

    nonisolated let rows = MemoryStore()
    private let held: Call
    private var isCalled = false
    private var isReleased = false
    private var callers: [CheckedContinuation<Void, Never>] = []

    init(_ held: Call = .insert) { self.held = held }

    func isHolding() async {
        while !isCalled { await wait() }
    }

    func goOn() {
        isReleased = true
        wake()
    }

    private func wait() async { await withCheckedContinuation { callers.append($0) } }

    private func wake() {
        for caller in callers { caller.resume() }
        callers = []
    }

    private func hold(_ call: Call) async {
        if call != held || isCalled { return }
        isCalled = true
        wake()
        while !isReleased { await wait() }
    }

    func insert(_ run: Run, with followers: [Run]) async throws(StoreError) {
        var outcome: StoreError?
        do { try await rows.insert(run, with: followers) } catch { outcome = error }
        await hold(.insert)
        if let outcome { throw outcome }
    }

    func update(_ run: Run, with followers: [Run]) async throws(StoreError) {
        try await rows.update(run, with: followers)
    }
    func reopen(_ run: Run, from former: Run) async throws(StoreError) {
        try await rows.reopen(run, from: former)
    }
    func finish(_ run: Run, with followers: [Run]) async throws(StoreError) {
        var outcome: StoreError?
        do { try await rows.finish(run, with: followers) } catch { outcome = error }
        await hold(.finish)
        if let outcome { throw outcome }
    }
    func keep(_ tail: OutputTail, of attempt: InvocationID, run: RunID) async throws(StoreError) {
        try await rows.keep(tail, of: attempt, run: run)
    }
    func tails(of run: RunID) async throws(StoreError) -> [Int: OutputTail] { try await rows.tails(of: run) }
    func run(_ id: RunID) async throws(StoreError) -> Run? { try await rows.run(id) }
    func runs(_ query: RunQuery) async throws(StoreError) -> [Run] { try await rows.runs(query) }
    func activeRuns() async throws(StoreError) -> [Run] {
        let runs = try await rows.activeRuns()
        await hold(.activeRuns)
        return runs
    }
    func activeCounts() async throws(StoreError) -> [ActiveCount] { try await rows.activeCounts() }
    func highestNumber() async throws(StoreError) -> RunID? { try await rows.highestNumber() }
    func close() async { await rows.close() }
}
