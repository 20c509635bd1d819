public import Store
import Synchronization
public import TaskModel

/// The database of runs in one SQLite file (WAL, synchronous=FULL).
///
/// Changes that come while another one is being written wait for it and then share one transaction, each in a savepoint
/// of its own. Reads have connections of their own and wait for no writer. Several processes must not use the same
/// file; the supervisor's lock sees to that. Handles must not cross a fork.
public final class SQLiteStore: Store {
    private let database: Database
    private let writer: GroupWriter
    private let damages = Mutex<[String]>([])

    /// Opens the database, makes it if there is none, and brings it to this version's schema. Blocks.
    ///
    /// Throws `newerSchema` if a newer version has written it, `damaged` if it is no database or a broken one (the
    /// caller may set it aside, with its `-wal` and `-shm`), `full` or `unavailable` if it could not be opened.
    public convenience init(path: String) throws(StoreError) {
        try self.init(path: path, checkpointAfter: GroupWriter.defaultCheckpointAfter)
    }

    /// What is wrong with runs that were not over and that `activeRuns` could not read: they are kept in the table
    /// `damaged`, and are no runs any more unless their records bring them back. For the log.
    public var setAside: [String] { damages.withLock { $0 } }

    init(path: String, checkpointAfter: Int) throws(StoreError) {
        database = try Database(path: path)
        writer = GroupWriter(database: database, checkpointAfter: checkpointAfter)
    }

    public func insert(_ run: Run, with followers: [Run]) async throws(StoreError) {
        try await write(.insert(run, followers))
    }

    public func update(_ run: Run, with followers: [Run]) async throws(StoreError) {
        try await write(.update(run, followers))
    }

    public func reopen(_ run: Run, from former: Run) async throws(StoreError) {
        guard !run.state.isFinal else { throw .conflict("run \(run.id) is over: \(run.state.rawValue)") }
        try await write(.reopen(run, from: former))
    }

    public func finish(_ run: Run, with followers: [Run]) async throws(StoreError) {
        guard run.state.isFinal else { throw .conflict("run \(run.id) is not over: \(run.state.rawValue)") }
        try await write(.finish(run, followers))
    }

    public func keep(_ tail: OutputTail, of attempt: InvocationID, run: RunID) async throws(StoreError) {
        try await writer.write(.keep(tail, attempt, run))
    }

    public func tails(of run: RunID) async throws(StoreError) -> [Int: OutputTail] {
        try await read { try $0.tails(of: run) }
    }

    public func run(_ id: RunID) async throws(StoreError) -> Run? {
        try await read { try $0.runs(where: "id = ?", [id.rawValue], order: "id", limit: 1) }.first
    }

    public func runs(_ query: RunQuery) async throws(StoreError) -> [Run] {
        if query.limit <= 0 { return [] }
        return try await read { try $0.runs(query) }
    }

    public func activeRuns() async throws(StoreError) -> [Run] {
        let (runs, damages) = try await read { try $0.activeRuns() }
        for damage in damages { self.damages.withLock { $0.append("\(database.path): \(damage)") } }
        for damage in damages {
            if let run = damage.run { try await writer.write(.setAside(run, "\(damage)")) }
        }
        return runs
    }

    public func activeCounts() async throws(StoreError) -> [ActiveCount] {
        try await read { try $0.activeCounts() }
    }

    public func activeInvocations() async throws(StoreError) -> Set<InvocationID> {
        try await read { try $0.activeInvocations() }
    }

    public func highestNumber() async throws(StoreError) -> RunID? {
        try await read { try $0.highestNumber() }
    }

    /// Waits for the changes that have begun.
    public func close() async {
        await writer.close()
    }

    private func write(_ change: Change) async throws(StoreError) {
        try await writer.write(change)
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (RunReader) throws -> Value
    ) async throws(StoreError) -> Value {
        let before = database.generation
        var result = await database.read(body)
        if case .failure(.refused) = result, database.needsRecovery || database.generation != before {
            // The connections were given up under this read, or are not open again since.
            try await writer.recover()
            result = await database.read(body)
        }
        switch result {
        case .success(let value): return value
        case .failure(.refused(let error)): throw error
        case .failure(.damaged(let damage)): throw await setAside(damage)
        }
    }

    /// One row that cannot be read must not hide all others for good: it is told once, and is out of the way then.
    private func setAside(_ damage: RowDamage) async -> StoreError {
        var message = "\(database.path): \(damage)"
        if let run = damage.run {
            do {
                try await writer.write(.setAside(run, "\(damage)"))
                message += "; run \(run) is now in the table 'damaged'"
            } catch { message += "; it could not be set aside: \(error)" }
        }
        return .damaged(message)
    }
}
