import Foundation
import Store
import StoreConformance
import Synchronization
import TaskModel
import Testing

@testable import SQLiteStore

@Suite struct CrashTests {
    /// What the files hold at some moment is what a process that is killed at that moment leaves behind: as long as
    /// nothing is copied into the database, only the log grows.
    @Test func `what was acknowledged is there after a kill at any moment, and every run is whole`() async throws {
        let directory = TemporaryDirectory()
        let store = try SQLiteStore(path: directory.path + "/faf.db", checkpointAfter: .max)
        let acknowledged = Numbers()
        let writers = Task { @concurrent in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask { @concurrent in
                        for index in 0..<200 {
                            let number = Int64(index * 8 + writer + 1)
                            try await store.insert(StoreConformance.sampleRun(number, state: .running))
                            acknowledged.add(number)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        var moments = 0
        while moments < 25 {
            let before = acknowledged.all
            let copy = TemporaryDirectory()
            try directory.copy("faf.db", to: copy)
            try directory.copy("faf.db-wal", to: copy)
            moments += 1
            let recovered = try SQLiteStore(path: copy.path + "/faf.db")
            let runs = try await recovered.activeRuns()
            #expect(before.isSubset(of: runs.map(\.id.rawValue)))
            for run in runs { #expect(run == StoreConformance.sampleRun(run.id.rawValue, state: .running)) }
            let next = StoreConformance.sampleRun(1_000_000)
            try await recovered.insert(next)
            #expect(try await recovered.run(next.id) == next)
            await recovered.close()
        }
        try await writers.value
        #expect(try await store.activeRuns().count == 1600)
        await store.close()
    }

    @Test func `a log that ends in the middle of a change loses that change only`() async throws {
        let directory = TemporaryDirectory()
        let store = try SQLiteStore(path: directory.path + "/faf.db", checkpointAfter: .max)
        for number in 1...5 { try await store.insert(StoreConformance.sampleRun(Int64(number))) }
        let size = try directory.size("faf.db-wal")
        try await store.insert(StoreConformance.sampleRun(6))
        for cut in [1, 100, 4119, 4121] {
            let copy = TemporaryDirectory()
            try directory.copy("faf.db", to: copy)
            try directory.copy("faf.db-wal", to: copy)
            let handle = try #require(FileHandle(forUpdatingAtPath: copy.path + "/faf.db-wal"))
            try handle.truncate(atOffset: UInt64(size + cut))
            try handle.close()
            let recovered = try SQLiteStore(path: copy.path + "/faf.db")
            #expect(try await recovered.highestNumber()?.rawValue == 5)
            await recovered.close()
        }
        await store.close()
    }
}

private final class Numbers: Sendable {
    private let numbers = Mutex<Set<Int64>>([])

    var all: Set<Int64> { numbers.withLock { $0 } }

    func add(_ number: Int64) { numbers.withLock { _ = $0.insert(number) } }
}
