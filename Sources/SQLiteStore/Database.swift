import Dispatch
import GRDB
import GRDBSQLite
import Glibc
import Store
import Synchronization
import TaskModel

/// Why nothing was read.
enum ReadFailure: Error {
    case refused(StoreError)
    case damaged(RowDamage)
}

/// The connections to the file, and what to do when they can no longer be trusted.
final class Database: Sendable {
    let path: String
    /// Shared by all connections: rows never change what an id stands for.
    let values = StoredValues()
    private let state: Mutex<State>
    private let reopened = Mutex(0)

    private enum State {
        case open(DatabasePool)
        /// Given up after an I/O error; to be opened again before anything else is done.
        case givenUp(StoreError)
        case closed
    }

    init(path: String) throws(StoreError) {
        self.path = path
        state = Mutex(.open(try Self.open(path)))
    }

    var needsRecovery: Bool {
        state.withLock { if case .givenUp = $0 { true } else { false } }
    }

    /// Changes whenever the file is opened again.
    var generation: Int { reopened.withLock { $0 } }

    /// The pool; throws what it was given up for, or that the store is closed.
    func pool() throws(StoreError) -> DatabasePool {
        switch state.withLock({ $0 }) {
        case .open(let pool): return pool
        case .givenUp(let error): throw error
        case .closed: throw .unavailable("\(path): the store is closed")
        }
    }

    /// Reads in one snapshot, on a connection of its own. Not ended by the cancellation of the caller's task.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (RunReader) throws -> Value
    ) async -> Result<Value, ReadFailure> {
        let pool: DatabasePool
        do { pool = try self.pool() } catch { return .failure(.refused(error)) }
        return await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, ReadFailure>, Never>) in
            pool.asyncRead { connection in
                do {
                    let reader = RunReader(connection: try connection.get(), values: self.values)
                    continuation.resume(returning: .success(try body(reader)))
                } catch let damage as RowDamage {
                    continuation.resume(returning: .failure(.damaged(damage)))
                } catch {
                    let error = StoreError(error, doing: "read runs", path: self.path)
                    continuation.resume(returning: .failure(.refused(error)))
                }
            }
        }
    }

    /// Closes every connection, whatever they say to it; `reopen()` brings them back.
    func giveUp(because error: StoreError) {
        let old = state.withLock { state -> DatabasePool? in
            guard case .open(let pool) = state else { return nil }
            state = .givenUp(error)
            return pool
        }
        try? old?.close()
    }

    /// Opens the file again after it was given up. SQLite recovers: what the -wal holds whole is there.
    func reopen() throws(StoreError) {
        guard needsRecovery else { return }
        let pool = try Self.open(path)
        state.withLock { state in
            if case .givenUp = state { state = .open(pool) }
        }
        reopened.withLock { $0 += 1 }
    }

    func close() {
        let old = state.withLock { state -> DatabasePool? in
            defer { state = .closed }
            guard case .open(let pool) = state else { return nil }
            return pool
        }
        // SQLite would do it when the last connection closes, but GRDB closes one last that may not write.
        _ = try? old?.writeWithoutTransaction { try $0.checkpoint(.passive) }
        try? old?.close()
    }
}

extension Database {
    /// Files up to this size are checked page by page when they are opened; that takes some 20 ms.
    private static let checkedSize: Int64 = 16 << 20

    private static func open(_ path: String) throws(StoreError) -> DatabasePool {
        let size = try makePrivateFile(path)
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            do {
                try prepare(pool, path: path, checked: size <= checkedSize)
                return pool
            } catch {
                try? pool.close()
                throw error
            }
        } catch {
            throw StoreError(error, doing: "open the database", path: path, systemErrno: errno)
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "faf"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        // A failed ROLLBACK must not trap.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { connection in
            // Half a MB for each connection instead of two: what is in use of tables and indexes is a few pages at their
            // ends, and the page cache has the others.
            try connection.execute(sql: "PRAGMA cache_size = -512")
            // Without -wal and -shm in place a database in WAL mode cannot even be read on a full disk, and the room
            // in a -wal that is there already can still take the ends of runs: so it is neither removed nor truncated.
            var persist: CInt = 1
            let code = sqlite3_file_control(connection.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &persist)
            if code != SQLITE_OK { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        }
        return configuration
    }

    private static func prepare(_ pool: DatabasePool, path: String, checked: Bool) throws {
        try pool.writeWithoutTransaction { connection in
            // GRDB leaves WAL databases at NORMAL, which loses the latest commits at a power cut.
            try connection.execute(sql: "PRAGMA synchronous = FULL")
            // The writer checkpoints by itself, when nobody waits; this is for the case that it does not come to it.
            try connection.execute(sql: "PRAGMA wal_autocheckpoint = 10000")
            if checked, let problem = try String.fetchOne(connection, sql: "PRAGMA quick_check(1)"), problem != "ok" {
                throw StoreError.damaged("\(path): \(problem)")
            }
            try checkOrigin(connection, path: path)
            if !checked { try readActiveRows(connection) }
            // So that the first change begins the -wal anew: on a full disk there is no room behind its end. That this
            // does not always succeed then changes nothing.
            _ = try? connection.checkpoint(.passive)
        }
        let migrator = Schema.migrator
        if try !pool.read(migrator.hasCompletedMigrations) { try migrator.migrate(pool) }
    }

    /// What is not checked as a whole must at least have what is needed at once, to its last page: nobody is served before
    /// this is known, and a database that is damaged there can still be set aside.
    private static func readActiveRows(_ connection: GRDB.Database) throws {
        guard try connection.tableExists("attempts") else { return }
        func read(_ table: String, _ rest: String = "") throws {
            let columns = try connection.columns(in: table).map {
                "total(length(\(table).\($0.name.quotedDatabaseIdentifier)))"
            }
            try connection.execute(sql: "SELECT \(columns.joined(separator: ", ")) FROM \(table) \(rest)")
        }
        try read("runs", "WHERE isFinal = 0")
        try read("attempts", "JOIN runs ON id = attempts.run AND isFinal = 0")
        try read("settings")
        try read("identities")
    }

    private static func checkOrigin(_ connection: GRDB.Database, path: String) throws {
        let id = try Int32.fetchOne(connection, sql: "PRAGMA application_id")
        let tables = try Int.fetchOne(connection, sql: "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'grdb%'")
        if tables == 0 { return }
        guard id == Schema.applicationID else {
            throw StoreError.damaged("\(path): this is a database of another program (application_id \(id ?? 0))")
        }
        let known = Set(Schema.migrator.migrations)
        let newer = try Schema.migrator.appliedIdentifiers(connection).subtracting(known)
        if !newer.isEmpty {
            throw StoreError.newerSchema(
                "\(path): its schema has \(newer.sorted().joined(separator: ", ")), this version knows "
                    + "\(Schema.migrator.migrations.joined(separator: ", ")); start the newer fafd, or restore a copy")
        }
    }

    /// Nobody else may read what callers passed: the file is there with mode 0600 before SQLite opens it (which gives
    /// -wal and -shm the same). Returns its size.
    private static func makePrivateFile(_ path: String) throws(StoreError) -> Int64 {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        if descriptor < 0 {
            let code = errno
            let message = "open \(path): \(String(cString: strerror(code)))"
            if code == ENOSPC || code == EDQUOT { throw .full(message) }
            throw .unavailable(message)
        }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unavailable("\(path) is no regular file")
        }
        return Int64(status.st_size)
    }
}
