import Dispatch
import GRDB
import GRDBSQLite
import Store
import Synchronization
import TaskModel

/// Writes changes one transaction after another: each takes all that wait when it begins, so callers share the fsync.
///
/// A change that conflicts fails alone, at its savepoint. When a commit fails, all of it has failed, and SQLite may
/// still find it in the -wal when it opens the file again: an fsync that failed has left the bytes in the page cache.
/// So the connection is given up, the file opened again, and runs whose insert was refused are taken out, or opened again, before their
/// callers are answered and before anything else is written.
final class GroupWriter: Sendable {
    /// Changes after which the -wal is copied into the database: some 1000 pages.
    static let defaultCheckpointAfter = 250

    private struct Waiting {
        var change: Change
        var continuation: CheckedContinuation<Result<Void, StoreError>, Never>
    }

    private struct Line {
        var waiting: [Waiting] = []
        /// A block that empties the line is on the queue.
        var isServed = false
        var isClosed = false
    }

    private let database: Database
    private let checkpointAfter: Int
    private let line = Mutex(Line())
    /// What follows is used on this queue only, under a mutex because the compiler cannot know that.
    private let queue = DispatchQueue(label: "faf.store.writer", qos: .userInitiated)
    private let sinceCheckpoint = Mutex(0)
    /// What was refused and may be in the file all the same: the row that comes back, or none.
    private let doubtful = Mutex<[RunID: Run?]>([:])

    init(database: Database, checkpointAfter: Int) {
        self.database = database
        self.checkpointAfter = checkpointAfter
    }

    func write(_ change: Change) async throws(StoreError) {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, StoreError>, Never>) in
            enum Next { case serve, nothing, refuse }
            let next = line.withLock { line -> Next in
                if line.isClosed { return .refuse }
                line.waiting.append(Waiting(change: change, continuation: continuation))
                defer { line.isServed = true }
                return line.isServed ? .nothing : .serve
            }
            switch next {
            case .serve: queue.async { self.serve() }
            case .nothing: break
            case .refuse:
                continuation.resume(returning: .failure(.unavailable("\(database.path): the store is closed")))
            }
        }
        try result.get()
    }

    /// Opens the database again if it was given up.
    func recover() async throws(StoreError) {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, StoreError>, Never>) in
            queue.async {
                do throws(StoreError) {
                    try self.prepare()
                    continuation.resume(returning: .success(()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        try result.get()
    }

    func close() async {
        line.withLock { $0.isClosed = true }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            queue.async {
                self.database.close()
                continuation.resume()
            }
        }
    }
}

// What runs on the queue.
extension GroupWriter {
    private func serve() {
        while true {
            let batch = line.withLock { line -> [Waiting] in
                defer { line.waiting = [] }
                line.isServed = !line.waiting.isEmpty
                return line.waiting
            }
            if batch.isEmpty { return }
            let results = commit(batch.map(\.change))
            for (waiting, result) in zip(batch, results) { waiting.continuation.resume(returning: result) }
            checkpointIfDue(after: batch.count)
        }
    }

    private func commit(_ changes: [Change]) -> [Result<Void, StoreError>] {
        let pool: DatabasePool
        do throws(StoreError) {
            pool = try prepare()
        } catch {
            return changes.map { _ in .failure(error) }
        }
        var results: [Result<Void, StoreError>] = []
        var isCommitting = false
        var failure: (error: any Error, systemErrno: Int32)?
        pool.writeWithoutTransaction { connection in
            do {
                try connection.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
                if changes.count == 1 {
                    // A conflict of the only one is the transaction's: a savepoint would cost as much as a row.
                    results = [try apply(changes[0], on: connection) { try connection.rollback() }]
                } else {
                    results = try changes.map { try applyAmongOthers($0, on: connection) }
                }
                isCommitting = connection.isInsideTransaction
                if isCommitting { try connection.cachedStatement(sql: "COMMIT").execute() }
            } catch {
                failure = (error, sqlite3_system_errno(connection.sqliteConnection))
                if connection.isInsideTransaction { try? connection.rollback() }
            }
        }
        guard let failure else { return results }
        database.values.forget()
        func error(_ change: Change) -> StoreError {
            StoreError(failure.error, doing: change.description, path: database.path, systemErrno: failure.systemErrno)
        }
        if let cause = (failure.error as? DatabaseError)?.resultCode, ![.SQLITE_FULL, .SQLITE_BUSY].contains(cause) {
            // Neither leaves anything behind that has the mark of a commit; everything else may have.
            if isCommitting {
                let refused = zip(changes, results).compactMap(Self.refused)
                doubtful.withLock { $0.merge(refused) { first, _ in first } }
            }
            database.giveUp(because: changes.first.map(error) ?? .unavailable(database.path))
            _ = try? prepare()
        }
        // A conflict stays one; whatever had worked so far has not.
        return changes.enumerated().map { index, change in
            if results.indices.contains(index), case .failure = results[index] { return results[index] }
            return .failure(error(change))
        }
    }

    private func applyAmongOthers(_ change: Change, on connection: GRDB.Database) throws -> Result<Void, StoreError> {
        try connection.cachedStatement(sql: "SAVEPOINT change").execute()
        let result = try apply(change, on: connection) {
            try connection.cachedStatement(sql: "ROLLBACK TO change").execute()
        }
        try connection.cachedStatement(sql: "RELEASE change").execute()
        return result
    }

    /// A conflict is the change's own result, and the change is taken back; what is thrown is the whole transaction's.
    private func apply(
        _ change: Change, on connection: GRDB.Database, takeBack: () throws -> Void
    ) throws -> Result<Void, StoreError> {
        do {
            try RunWriter(connection: connection, values: database.values).apply(change)
            return .success(())
        } catch {
            let reason = StoreError(error, doing: change.description, path: database.path)
            guard case .conflict = reason, connection.isInsideTransaction else { throw error }
            // Ids of settings that this change has added are gone with it.
            database.values.forget()
            try takeBack()
            return .failure(reason)
        }
    }

    /// The connection, opened again if need be, without any run whose insert was refused.
    @discardableResult
    private func prepare() throws(StoreError) -> DatabasePool {
        try database.reopen()
        let pool = try database.pool()
        let runs = doubtful.withLock { $0 }
        if runs.isEmpty { return pool }
        do {
            try pool.write { connection in
                let writer = RunWriter(connection: connection, values: database.values)
                for (run, former) in runs {
                    if let former { try writer.close(former) } else { try writer.remove(run) }
                }
            }
        } catch {
            let list = runs.keys.sorted().map(\.description).joined(separator: ", ")
            let error = StoreError(error, doing: "take back refused run \(list)", path: database.path)
            database.giveUp(because: error)
            throw error
        }
        doubtful.withLock { for run in runs.keys { $0[run] = nil } }
        return pool
    }

    private static func refused(_ change: Change, _ result: Result<Void, StoreError>) -> (RunID, Run?)? {
        guard case .success = result else { return nil }
        switch change {
        case .insert(let run, _): return (run.id, nil)
        case .reopen(let run, let former): return (run.id, former)
        case .update, .finish, .keep, .setAside: return nil
        }
    }

    /// After the callers have their answer. It may fail: the next one does its work as well, and a disk in trouble shows
    /// at the next commit.
    private func checkpointIfDue(after count: Int) {
        let isDue = sinceCheckpoint.withLock { sum in
            sum += count
            if sum < checkpointAfter { return false }
            sum = 0
            return true
        }
        guard isDue, let pool = try? database.pool() else { return }
        _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.passive) }
    }
}
