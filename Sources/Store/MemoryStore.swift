public import TaskModel

/// A store that forgets everything when the process ends: for tests, and to try what a caller does when writing fails.
public actor MemoryStore: Store {
    private var rows: [RunID: Run] = [:]
    private var tails: [InvocationID: OutputTail] = [:]
    private var isClosed = false
    private var failures: [StoreError] = []

    public init(_ runs: [Run] = []) {
        for run in runs { rows[run.id] = run }
    }

    /// The next `count` changes throw `error` and change nothing.
    public func fail(next count: Int = 1, with error: StoreError) {
        failures.append(contentsOf: repeatElement(error, count: count))
    }

    public func insert(_ run: Run, with followers: [Run]) throws(StoreError) {
        try beginChange()
        guard rows[run.id] == nil else { throw .conflict("run \(run.id) is there already") }
        rows[run.id] = run
        add(followers)
    }

    public func update(_ run: Run, with followers: [Run]) throws(StoreError) {
        try beginChange()
        guard let row = rows[run.id] else { throw .conflict("there is no run \(run.id)") }
        guard !row.state.isFinal else { throw .conflict("run \(run.id) is over already: \(row.state.rawValue)") }
        rows[run.id] = run
        add(followers)
    }

    public func reopen(_ run: Run, from former: Run) throws(StoreError) {
        try beginChange()
        guard !run.state.isFinal else { throw .conflict("run \(run.id) is over: \(run.state.rawValue)") }
        guard let row = rows[run.id] else { throw .conflict("there is no run \(run.id)") }
        guard row.state.isFinal else { throw .conflict("run \(run.id) is not over: \(row.state.rawValue)") }
        rows[run.id] = run
    }

    public func finish(_ run: Run, with followers: [Run]) throws(StoreError) {
        try beginChange()
        guard run.state.isFinal else { throw .conflict("run \(run.id) is not over: \(run.state.rawValue)") }
        guard let row = rows[run.id] else { throw .conflict("there is no run \(run.id)") }
        guard !row.state.isFinal else { return }
        rows[run.id] = run
        add(followers)
    }

    private func add(_ followers: [Run]) {
        for run in followers where rows[run.id] == nil { rows[run.id] = run }
    }

    public func keep(_ tail: OutputTail, of attempt: InvocationID, run: RunID) throws(StoreError) {
        try beginChange()
        guard rows[run]?.attempts.contains(where: { $0.invocation == attempt }) == true else { return }
        tails[attempt] = tail
    }

    public func tails(of run: RunID) throws(StoreError) -> [Int: OutputTail] {
        try checkOpen()
        var found: [Int: OutputTail] = [:]
        for attempt in rows[run]?.attempts ?? [] { found[attempt.number] = tails[attempt.invocation] }
        return found
    }

    public func run(_ id: RunID) throws(StoreError) -> Run? {
        try checkOpen()
        return rows[id]
    }

    public func runs(_ query: RunQuery) throws(StoreError) -> [Run] {
        try checkOpen()
        let matching = rows.values.filter { run in
            (query.task == nil || run.task == query.task)
                && (query.isFinal == nil || run.state.isFinal == query.isFinal)
                && (query.before.map { run.id < $0 } ?? true)
        }
        return Array(matching.sorted { $0.id > $1.id }.prefix(max(query.limit, 0)))
    }

    public func activeRuns() throws(StoreError) -> [Run] {
        try checkOpen()
        return rows.values.filter { !$0.state.isFinal }.sorted { $0.id < $1.id }
    }

    public func highestNumber() throws(StoreError) -> RunID? {
        try checkOpen()
        return rows.keys.max()
    }

    public func close() { isClosed = true }

    private func beginChange() throws(StoreError) {
        try checkOpen()
        if !failures.isEmpty { throw failures.removeFirst() }
    }

    private func checkOpen() throws(StoreError) {
        if isClosed { throw .unavailable("the store is closed") }
    }
}
