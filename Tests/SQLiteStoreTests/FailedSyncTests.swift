import Foundation
import Store
import StoreConformance
import TaskModel
import Testing

@testable import SQLiteStore

/// A failed fsync has left the bytes of the commit in the page cache: whoever opens the file again would find them.
@Suite(.serialized) struct FailedSyncTests {
    let directory = TemporaryDirectory()
    var path: String { directory.path + "/faf.db" }

    init() { FailingDisk.install() }

    func run(_ number: Int64) -> Run { StoreConformance.sampleRun(number, state: .running) }

    func expectUnavailable(
        _ part: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("no error", sourceLocation: sourceLocation)
        } catch StoreError.unavailable(let message) {
            #expect(message.contains(part) && message.contains(path), sourceLocation: sourceLocation)
        } catch {
            Issue.record("\(error) instead of unavailable", sourceLocation: sourceLocation)
        }
    }

    @Test func `a run whose commit could not be synced is not there, now or after a restart`() async throws {
        let store = try SQLiteStore(path: path)
        try await store.insert(run(1))
        FailingDisk.failSyncs(of: path + "-wal")
        await expectUnavailable("insert run 2") { try await store.insert(run(2)) }
        #expect(try await store.activeRuns().map(\.id.rawValue) == [1])
        let copy = TemporaryDirectory()
        try directory.copy("faf.db", to: copy)
        try directory.copy("faf.db-wal", to: copy)
        let restarted = try SQLiteStore(path: copy.path + "/faf.db")
        #expect(try await restarted.activeRuns().map(\.id.rawValue) == [1])
        await restarted.close()

        try await store.insert(run(3))
        #expect(try await store.activeRuns().map(\.id.rawValue) == [1, 3])
        await store.close()
    }

    @Test func `a run that could not be opened again is over, now and after a restart`() async throws {
        let store = try SQLiteStore(path: path)
        var former = run(1)
        StoreConformance.end(&former, as: .succeeded)
        try await store.insert(former)
        var again = run(1)
        again.attempts.append(StoreConformance.sampleAttempt(again.attempts.count + 1, of: 1))
        FailingDisk.failSyncs(of: path + "-wal")
        let (opened, before) = (again, former)
        await expectUnavailable("reopen run 1") { try await store.reopen(opened, from: before) }
        #expect(try await store.run(former.id) == former)
        let copy = TemporaryDirectory()
        try directory.copy("faf.db", to: copy)
        try directory.copy("faf.db-wal", to: copy)
        let restarted = try SQLiteStore(path: copy.path + "/faf.db")
        #expect(try await restarted.run(former.id) == former)
        await restarted.close()
        try await store.reopen(opened, from: before)
        #expect(try await store.activeRuns() == [opened])
        await store.close()
    }

    @Test func `everybody who shared the commit is refused`() async throws {
        let store = try SQLiteStore(path: path)
        try await store.insert(run(1))
        FailingDisk.failSyncs(of: path + "-wal", times: 1000)
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in 2...60 {
                group.addTask {
                    do {
                        try await store.insert(run(Int64(number)))
                        return false
                    } catch {
                        return true
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(refused == 59)
        FailingDisk.heal()
        try await store.insert(run(100))
        #expect(try await store.activeRuns().map(\.id.rawValue) == [1, 100])
        await store.close()
    }

    @Test func `a bad disk takes nothing, and when it is well again nothing refused is there`() async throws {
        let store = try SQLiteStore(path: path)
        try await store.insert(run(1))
        FailingDisk.failSyncs(of: path + "-wal", times: 1000)
        for number in 2...5 { await expectUnavailable("faf.db") { try await store.insert(run(Int64(number))) } }
        FailingDisk.heal()
        // Reading alone, without a write before it, must not show a refused run either.
        #expect(try await store.activeRuns().map(\.id.rawValue) == [1])
        #expect(try await store.run(RunID(rawValue: 2)) == nil)
        try await store.insert(run(6))
        #expect(try await store.activeRuns().map(\.id.rawValue) == [1, 6])
        await store.close()
    }

    @Test func `an end whose commit could not be synced is taken when it is given again`() async throws {
        let store = try SQLiteStore(path: path)
        var run = run(1)
        try await store.insert(run)
        StoreConformance.end(&run, as: .failed)
        FailingDisk.failSyncs(of: path + "-wal")
        let end = run
        await expectUnavailable("the end of run 1") { try await store.finish(end) }
        try await store.finish(end)
        #expect(try await store.run(end.id) == end)
        await store.close()
    }

    @Test func `a checkpoint that fails harms nobody`() async throws {
        let store = try SQLiteStore(path: path, checkpointAfter: 1)
        FailingDisk.failSyncs(of: path, times: 10)
        for number in 1...20 { try await store.insert(run(Int64(number))) }
        FailingDisk.heal()
        #expect(try await store.activeRuns().count == 20)
        await store.close()
        let again = try SQLiteStore(path: path)
        #expect(try await again.activeRuns().count == 20)
        await again.close()
    }
}
