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

    /// Makes the fixture of a new schema: set the variable to an empty directory, and keep what is there then.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["FAF_MAKE_FIXTURE"] != nil, "only by hand"))
    func `a fixture can be made`() async throws {
        let directory = try #require(ProcessInfo.processInfo.environment["FAF_MAKE_FIXTURE"])
        let store = try SQLiteStore(path: directory + "/faf.db")
        for run in Self.runs { try await store.insert(run) }
        await store.close()
    }
}
