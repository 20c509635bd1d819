import Foundation
import GRDB
import Store
import StoreConformance
import TaskModel
import Testing

@testable import SQLiteStore

@Suite struct DamageTests {
    let directory = TemporaryDirectory()
    var path: String { directory.path + "/faf.db" }

    func fill(_ count: Int64 = 50) async throws {
        let store = try SQLiteStore(path: path)
        for number in 1...count { try await store.insert(StoreConformance.sampleRun(number, state: .failed)) }
        await store.close()
        // Into the database, so that what is broken below is what is read.
        try checkpoint()
    }

    func checkpoint() throws {
        _ = try DatabaseQueue(path: path).writeWithoutTransaction { try $0.checkpoint(.truncate) }
    }

    func rows(_ sql: String) throws -> [Row] {
        try DatabaseQueue(path: path).read { try Row.fetchAll($0, sql: sql) }
    }

    func execute(_ sql: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    func error(_ body: () async throws -> Void) async -> StoreError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    func expectDamage(
        _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    )
        async
    {
        let error = await error(body)
        guard case .damaged(let message) = error else {
            Issue.record("\(String(describing: error)) instead of damaged", sourceLocation: sourceLocation)
            return
        }
        for part in parts { #expect(message.contains(part), sourceLocation: sourceLocation) }
    }

    @Test func `a file that is no database is refused by name`() async throws {
        try Data(
            "This is some other file, longer than the head of a database would be. ".utf8
                + [UInt8](repeating: 7, count: 4096)
        )
        .write(to: URL(fileURLWithPath: path))
        await expectDamage(path) { _ = try SQLiteStore(path: path) }
    }

    @Test func `a database of another program is refused and not touched`() async throws {
        try execute("CREATE TABLE recipes (id INTEGER PRIMARY KEY)")
        await expectDamage(path, "another program") { _ = try SQLiteStore(path: path) }
        let names = try await DatabaseQueue(path: path).read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_master")
        }
        #expect(names == ["recipes"])
    }

    @Test func `a truncated database is refused by name`() async throws {
        try await fill()
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.truncate(atOffset: 8192)
        try handle.close()
        await expectDamage(path) { _ = try SQLiteStore(path: path) }
    }

    @Test func `a database with a page of garbage is refused by name`() async throws {
        try await fill(500)
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seek(toOffset: 4096 * 12)
        try handle.write(contentsOf: Data([UInt8](repeating: 0xA5, count: 4096)))
        try handle.close()
        await expectDamage(path) { _ = try SQLiteStore(path: path) }
    }

    /// One that is too large to be checked as a whole.
    @Test func `a database with damage that would be met later is refused when it is opened`() async throws {
        let store = try SQLiteStore(path: path)
        for number in 1...40 {
            var run = StoreConformance.sampleRun(Int64(number), state: .running)
            run.resultText = String(repeating: "x", count: number * 500)
            try await store.insert(run)
        }
        await store.close()
        try checkpoint()
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        try execute("CREATE TABLE filler (bytes); INSERT INTO filler VALUES (zeroblob(17000000))")
        try checkpoint()
        let whole = try SQLiteStore(path: path)
        #expect(try await whole.activeRuns().count == 40)
        await whole.close()
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        var refused = 0
        for page in 1..<size / 4096 {
            try handle.seek(toOffset: UInt64(page) * 4096)
            let bytes = try #require(try handle.read(upToCount: 4096))
            func write(_ bytes: Data) throws {
                try handle.seek(toOffset: UInt64(page) * 4096)
                try handle.write(contentsOf: bytes)
            }
            try write(Data([UInt8](repeating: 0xA5, count: 4096)))
            var opened: SQLiteStore?
            let refusal = await error { opened = try SQLiteStore(path: path) }
            if let opened {
                // A row whose text is garbage is set aside by itself.
                #expect(await error { _ = try await opened.activeRuns() } == nil, "page \(page)")
                await opened.close()
            } else if case .damaged = refusal {
                refused += 1
            } else {
                Issue.record("page \(page): \(String(describing: refusal))")
            }
            try write(bytes)
        }
        #expect(refused > 10)
    }

    @Test func `what was written by a newer version is refused and named`() async throws {
        try await fill(1)
        try execute("INSERT INTO grdb_migrations (identifier) VALUES ('9-hosts')")
        let error = await error { _ = try SQLiteStore(path: path) }
        guard case .newerSchema(let message) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(message.contains("9-hosts") && message.contains(path))
    }

    @Test(arguments: [
        ("state", "'paused'"), ("state", "'running'"), ("isFinal", "5"), ("parameters", "'[['"),
        ("parameters", "'[[\"a\"]]'"),
        ("users", "'1,,2'"), ("groups", "'x'"), ("reasonKind", "'bad luck'"), ("owner", "-1"),
        ("firedBy", "4294967296"),
    ])
    func `an unreadable row names itself and its field`(field: String, value: String) async throws {
        try await fill(3)
        try execute("UPDATE runs SET \(field) = \(value) WHERE id = 2")
        let store = try SQLiteStore(path: path)
        let blamed = value == "'running'" ? "isFinal" : field
        // Told once, then out of the way.
        await expectDamage("run 2", blamed, "'damaged'") { _ = try await store.runs(RunQuery(limit: 10)) }
        let others = [3, 1].map { StoreConformance.sampleRun(Int64($0), state: .failed) }
        #expect(try await store.runs(RunQuery(limit: 10)) == others)
        #expect(try await store.run(RunID(rawValue: 2)) == nil)
        await store.close()
        let kept = try rows("SELECT * FROM damaged")
        #expect(kept.count == 1)
        #expect(kept.first?["run"] == 2)
        let text: String? = kept.first?["runRow"]
        #expect(text?.contains("9007199254740993") ?? false || field == "parameters")
    }

    @Test(arguments: [
        ("invocation", "'123'"), ("state", "'paused'"), ("exitKind", "'vanished'"), ("exitCode", "256"),
        ("exitCode", "NULL"), ("mainPID", "4294967296"), ("systemMicroseconds", "NULL"),
    ])
    func `an unreadable attempt names its run and its field`(field: String, value: String) async throws {
        try await fill(3)
        try execute("UPDATE attempts SET \(field) = \(value) WHERE run = 2")
        let store = try SQLiteStore(path: path)
        await expectDamage("run 2", field) { _ = try await store.run(RunID(rawValue: 2)) }
        await store.close()
    }

    @Test func `an unreadable run that was not over is told at the start and stops no other`() async throws {
        var store = try SQLiteStore(path: path)
        for number in 1...3 { try await store.insert(StoreConformance.sampleRun(Int64(number), state: .running)) }
        await store.close()
        try execute("UPDATE runs SET task = 'kept', owner = -1 WHERE id = 3")
        store = try SQLiteStore(path: path)
        #expect(try await store.activeRuns().map(\.id.rawValue) == [1, 2])
        #expect(store.setAside.count == 1)
        #expect(store.setAside.first?.contains("run 3, owner") ?? false)
        // Its number is not given again, and its record may bring it back.
        #expect(try await store.highestNumber()?.rawValue == 3)
        try await store.insert(StoreConformance.sampleRun(3, state: .running))
        await store.close()
        store = try SQLiteStore(path: path)
        #expect(try await store.activeRuns().map(\.id.rawValue) == [1, 2, 3])
        #expect(store.setAside == [])
        await store.close()
    }

    @Test func `unreadable settings of a run that is not over are named, and nothing is set aside`() async throws {
        var store = try SQLiteStore(path: path)
        try await store.insert(StoreConformance.sampleRun(1, state: .running))
        await store.close()
        try execute("UPDATE settings SET json = '{}'")
        store = try SQLiteStore(path: path)
        await expectDamage("settings 1", "json") { _ = try await store.activeRuns() }
        await expectDamage("settings 1", "json") { _ = try await store.activeRuns() }
        #expect(store.setAside == [])
        await store.close()
    }

    @Test func `unreadable settings are named and do not stop a new run`() async throws {
        try await fill(1)
        try execute("UPDATE settings SET json = '{}'")
        let store = try SQLiteStore(path: path)
        await expectDamage("settings 1", "json") { _ = try await store.run(RunID(rawValue: 1)) }
        try await store.insert(StoreConformance.sampleRun(2))
        #expect(try await store.run(RunID(rawValue: 2)) == StoreConformance.sampleRun(2))
        await store.close()
    }

    @Test func `a directory in its place is refused by name`() async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let error = await error { _ = try SQLiteStore(path: path) }
        guard case .unavailable(let message) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(message.contains(path))
    }
}
