import Store
import StoreConformance
import TaskModel
import Testing

@Suite struct MemoryStoreTests {
    @Test(arguments: StoreConformance.checks)
    func `behaves as every store does`(check: StoreConformance.Check) async throws {
        try await check.run { MemoryStore() }
    }

    @Test func `a failure that was asked for changes nothing and passes`() async throws {
        let store = MemoryStore()
        await store.fail(with: .full("no room"))
        await #expect(throws: StoreError.full("no room")) { try await store.insert(StoreConformance.sampleRun(1)) }
        #expect(try await store.highestNumber() == nil)
        try await store.insert(StoreConformance.sampleRun(1))
    }
}
