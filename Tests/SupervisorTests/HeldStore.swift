import Store
import TaskModel

/// Does the first insertion and keeps its outcome back until `goOn`, as a busy disk may.
actor HeldStore: Store {
    nonisolated let rows = MemoryStore()
    private var isCalled = false
    private var isReleased = false
    private var callers: [CheckedContinuation<Void, Never>] = []

    func insertIsCalled() async {
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

    func insert(_ run: Run, with followers: [Run]) async throws(StoreError) {
        let isHeld = !isCalled
        var outcome: StoreError?
        do { try await rows.insert(run, with: followers) } catch { outcome = error }
        isCalled = true
        wake()
        while isHeld && !isReleased { await wait() }
        if let outcome { throw outcome }
    }

    func update(_ run: Run, with followers: [Run]) async throws(StoreError) {
        try await rows.update(run, with: followers)
    }
    func reopen(_ run: Run, from former: Run) async throws(StoreError) {
        try await rows.reopen(run, from: former)
    }
    func finish(_ run: Run, with followers: [Run]) async throws(StoreError) {
        try await rows.finish(run, with: followers)
    }
    func keep(_ tail: OutputTail, of attempt: InvocationID, run: RunID) async throws(StoreError) {
        try await rows.keep(tail, of: attempt, run: run)
    }
    func tails(of run: RunID) async throws(StoreError) -> [Int: OutputTail] { try await rows.tails(of: run) }
    func run(_ id: RunID) async throws(StoreError) -> Run? { try await rows.run(id) }
    func runs(_ query: RunQuery) async throws(StoreError) -> [Run] { try await rows.runs(query) }
    func activeRuns() async throws(StoreError) -> [Run] { try await rows.activeRuns() }
    func highestNumber() async throws(StoreError) -> RunID? { try await rows.highestNumber() }
    func close() async { await rows.close() }
}
