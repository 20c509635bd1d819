import Foundation
import Store
import StoreConformance
import TaskModel
import Testing

@testable import SQLiteStore

@Suite struct FixtureTests {
    static let runs = RunState.allCases.enumerated().map { index, state in
        StoreConformance.sampleRun(Int64(index + 1), task: index % 2 == 0 ? "count" : "ping", state: state)
    }

    @Test(arguments: ["1-runs"])
    func `the database of each released schema loads and goes on`(schema: String) async throws {
        // By hand, for the fixture of a new schema: the variable names an empty directory to make it in.
        if let directory = ProcessInfo.processInfo.environment["FAF_MAKE_FIXTURE"] {
            let store = try SQLiteStore(path: directory + "/faf.db")
            for run in Self.runs { try await store.insert(run) }
            await store.close()
        }
        let fixture = try #require(
            Bundle.module.url(forResource: "faf", withExtension: "db", subdirectory: "Fixtures/\(schema)"))
        let directory = TemporaryDirectory()
        try Data(contentsOf: fixture).write(to: URL(fileURLWithPath: directory.path + "/faf.db"))
        let store = try SQLiteStore(path: directory.path + "/faf.db")
        #expect(try await store.runs(RunQuery(limit: 100)) == Self.runs.reversed())
        #expect(try await store.activeRuns() == Self.runs.filter { !$0.state.isFinal })
        let next = StoreConformance.sampleRun(100, state: .running)
        try await store.insert(next)
        #expect(try await store.run(next.id) == next)
        await store.close()
    }
}
