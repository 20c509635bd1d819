import Foundation
import GRDB
import Store
import StoreConformance
import TaskModel
import Testing

@testable import SQLiteStore

@Suite struct SQLiteStoreTests {
    let directory = TemporaryDirectory()
    var path: String { directory.path + "/faf.db" }

    func sample(_ number: Int64, task: String = "count", state: RunState = .running) -> Run {
        StoreConformance.sampleRun(number, task: task, state: state)
    }

    func query<Value: DatabaseValueConvertible>(_ sql: String, of _: Value.Type = Value.self) throws -> Value? {
        try DatabaseQueue(path: path).read { try Value.fetchOne($0, sql: sql) }
    }

    func execute(_ sql: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    @Test(arguments: StoreConformance.checks)
    func `behaves as every store does`(check: StoreConformance.Check) async throws {
        let directory = TemporaryDirectory()
        try await check.run { try SQLiteStore(path: directory.path + "/faf.db") }
    }

    @Test(arguments: StoreConformance.checks)
    func `behaves as every store does when each change is copied out of the log`(
        check: StoreConformance.Check
    ) async throws {
        let directory = TemporaryDirectory()
        try await check.run { try SQLiteStore(path: directory.path + "/faf.db", checkpointAfter: 1) }
    }

    @Test func `runs are there after closing and opening`() async throws {
        let first = try SQLiteStore(path: path)
        let runs = RunState.allCases.enumerated().map { sample(Int64($0.offset + 1), state: $0.element) }
        for run in runs { try await first.insert(run) }
        await first.close()
        let second = try SQLiteStore(path: path)
        #expect(try await second.runs(RunQuery(limit: 100)) == runs.reversed())
        await second.close()
    }

    @Test func `commits are synced: synchronous is FULL and the journal is a WAL`() throws {
        let database = try Database(path: path)
        let pool = try database.pool()
        try pool.writeWithoutTransaction { (connection) throws in
            #expect(try Int.fetchOne(connection, sql: "PRAGMA synchronous") == 2)
            #expect(try String.fetchOne(connection, sql: "PRAGMA journal_mode") == "wal")
            #expect(try Int.fetchOne(connection, sql: "PRAGMA foreign_keys") == 1)
        }
        database.close()
    }

    @Test func `wal and shm stay after closing`() async throws {
        let store = try SQLiteStore(path: path)
        try await store.insert(sample(1))
        await store.close()
        #expect(FileManager.default.fileExists(atPath: path + "-wal"))
        #expect(FileManager.default.fileExists(atPath: path + "-shm"))
    }

    @Test func `nobody else can read the files`() async throws {
        let store = try SQLiteStore(path: path)
        try await store.insert(sample(1))
        for suffix in ["", "-wal", "-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
        }
        await store.close()
    }

    @Test func `settings and identities of many runs are stored once, also across restarts`() async throws {
        for start in 0..<3 {
            let store = try SQLiteStore(path: path)
            for index in 0..<20 { try await store.insert(sample(Int64(start * 20 + index + 1))) }
            await store.close()
        }
        #expect(try query("SELECT count(*) FROM settings") == 1)
        #expect(try query("SELECT count(*) FROM identities") == 1)
        let store = try SQLiteStore(path: path)
        var changed = sample(100)
        changed.settings.timeoutStop = .infinity
        try await store.insert(changed)
        await store.close()
        #expect(try query("SELECT count(*) FROM settings") == 2)
    }

    @Test func `settings that come with a refused insert are not taken for stored`() async throws {
        let store = try SQLiteStore(path: path)
        try await store.insert(sample(1))
        var refused = sample(1, task: "other")
        refused.identity.userName = "bob"
        await #expect(throws: StoreError.self) { try await store.insert(refused) }
        var accepted = refused
        accepted.id = RunID(rawValue: 2)
        try await store.insert(accepted)
        #expect(try await store.run(accepted.id) == accepted)
        await store.close()
    }

    @Test func `the queries for active runs and for a task use their indexes`() async throws {
        let store = try SQLiteStore(path: path)
        await store.close()
        func plan(_ sql: String) throws -> String {
            try DatabaseQueue(path: path).read { try Row.fetchAll($0, sql: "EXPLAIN QUERY PLAN " + sql) }
                .map { "\($0)" }.joined()
        }
        let active = try plan("SELECT * FROM runs WHERE isFinal = 0 ORDER BY id LIMIT 5")
        #expect(active.contains("runsActive") && !active.contains("TEMP B-TREE"))
        let task = try plan("SELECT * FROM runs WHERE task = 'a' AND id < 7 ORDER BY id DESC LIMIT 5")
        #expect(task.contains("runsByTask") && !task.contains("TEMP B-TREE"))
        let newest = try plan("SELECT * FROM runs WHERE TRUE ORDER BY id DESC LIMIT 5")
        #expect(!newest.contains("TEMP B-TREE"))
    }

    @Test func `reads do not wait for a writer`() async throws {
        let store = try SQLiteStore(path: path)
        try await store.insert(sample(1))
        let other = try Other(path: path)
        try other.execute("BEGIN IMMEDIATE")
        let start = ContinuousClock.now
        #expect(try await store.run(RunID(rawValue: 1)) != nil)
        #expect(ContinuousClock.now - start < .seconds(1))
        async let blocked: Void = store.insert(sample(2))
        #expect(try await store.activeRuns().count == 1)
        try other.execute("COMMIT")
        try await blocked
        #expect(try await store.activeRuns().count == 2)
        await store.close()
    }

    @Test func `writers that wait for one another share commits`() async throws {
        let store = try SQLiteStore(path: path)
        let other = try Other(path: path)
        try other.execute("BEGIN IMMEDIATE")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...100 { group.addTask { try await store.insert(sample(Int64(number))) } }
            try await Task.sleep(for: .milliseconds(200))
            try other.execute("COMMIT")
            try await group.waitForAll()
        }
        #expect(try await store.activeRuns().count == 100)
        await store.close()
        // A commit for each would have written the page of the last leaf a hundred times.
        let frames = try directory.size("faf.db-wal") / 4120
        #expect(frames < 200)
    }
}

/// Another process's connection, as far as SQLite can tell.
private struct Other {
    let queue: DatabaseQueue

    init(path: String) throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    func execute(_ sql: String) throws {
        try queue.inDatabase { try $0.execute(sql: sql) }
    }
}
