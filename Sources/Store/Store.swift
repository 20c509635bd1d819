public import TaskModel

/// Why a store could not do what it was asked for. Nothing was changed.
public enum StoreError: Error, Sendable, Hashable {
    /// No room left (SQLITE_FULL, ENOSPC); the message names what was to be written.
    case full(String)
    /// The disk or the database refused (SQLITE_IOERR, lost connection, ...).
    case unavailable(String)
    /// The database was written by a newer version; names its schema.
    case newerSchema(String)
    /// What was read back does not make sense; names row and field.
    case damaged(String)
    /// The row to change is not there or not in the state that the change needs.
    case conflict(String)
}

/// Which runs to list, newest first.
public struct RunQuery: Sendable, Hashable {
    /// Only runs of this task.
    public var task: String?
    /// Only runs that are not over (`false`), or only those that are (`true`).
    public var isFinal: Bool?
    /// Only numbers below this one: the next page.
    public var before: RunID?
    public var limit: Int

    public init(task: String? = nil, isFinal: Bool? = nil, before: RunID? = nil, limit: Int) {
        self.task = task
        self.isFinal = isFinal
        self.before = before
        self.limit = limit
    }
}

/// The database of runs: what was asked for and how it ended.
///
/// Written when a run is fired, when an attempt begins and when one ends; a method that returns has made its change
/// durable (fsync), one that throws has changed nothing. All methods may be called concurrently; an implementation may
/// commit several changes together. What goes on between fire and end is not stored: the record knows it.
public protocol Store: Sendable {
    // What follows on a run is stored with its end, at once or not at all. Those of the followers that are there
    // already stay as they are.

    /// Adds a new run. `conflict` if its number is taken.
    func insert(_ run: Run, with followers: [Run]) async throws(StoreError)

    /// Replaces an active run's row as a whole: a new attempt, a new invocation id. `conflict` if there is none, or if
    /// it is final.
    func update(_ run: Run, with followers: [Run]) async throws(StoreError)

    /// Replaces a final run's row, `former`, by one that is active again. `conflict` if there is none, or if it is not
    /// final.
    func reopen(_ run: Run, from former: Run) async throws(StoreError)

    /// Stores the end of a run. `conflict` if there is no such row; a row that is already final stays as it is (the
    /// first end counts, and what followed on it) and is no error.
    func finish(_ run: Run, with followers: [Run]) async throws(StoreError)

    /// Keeps the last lines of an attempt. It is no change of its run, whose row says nothing of them: an attempt that is
    /// not there (any more) is no error.
    func keep(_ tail: OutputTail, of attempt: InvocationID, run: RunID) async throws(StoreError)

    /// The last lines of the run's attempts by their numbers, as far as they are kept.
    func tails(of run: RunID) async throws(StoreError) -> [Int: OutputTail]

    /// The run of this number; `nil`: there is none.
    func run(_ id: RunID) async throws(StoreError) -> Run?

    /// At most `query.limit` runs, highest number first.
    func runs(_ query: RunQuery) async throws(StoreError) -> [Run]

    /// Every run that is not over, lowest number first.
    func activeRuns() async throws(StoreError) -> [Run]

    /// How many runs that are not over there are, by their states and by who may see them; in no order. A fraction of
    /// the time of `activeRuns`.
    func activeCounts() async throws(StoreError) -> [ActiveCount]

    /// The attempts of all runs that are not over. A fraction of the time of `activeRuns`.
    func activeInvocations() async throws(StoreError) -> Set<InvocationID>

    /// The highest number of any row; `nil`: there is no row.
    func highestNumber() async throws(StoreError) -> RunID?

    /// Closes the database; further calls throw `unavailable`.
    func close() async
}

/// How many runs that are not over have this state, as it was stored, and these rights.
public struct ActiveCount: Sendable, Hashable {
    public var state: RunState
    public var rights: RunRights
    public var count: Int

    public init(state: RunState, rights: RunRights, count: Int) {
        self.state = state
        self.rights = rights
        self.count = count
    }
}

extension Store {
    public func activeCounts() async throws(StoreError) -> [ActiveCount] {
        try await activeRuns().map { ActiveCount(state: $0.state, rights: $0.rights, count: 1) }
    }

    public func activeInvocations() async throws(StoreError) -> Set<InvocationID> {
        Set(try await activeRuns().flatMap { $0.attempts.map(\.invocation) })
    }

    public func insert(_ run: Run) async throws(StoreError) { try await insert(run, with: []) }
    public func update(_ run: Run) async throws(StoreError) { try await update(run, with: []) }
    public func finish(_ run: Run) async throws(StoreError) { try await finish(run, with: []) }
}
