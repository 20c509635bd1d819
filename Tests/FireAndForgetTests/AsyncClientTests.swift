import FafAPI
import FakeSupervisor
import FireAndForget
import Testing
import Varlink

@Suite(.timeLimit(.minutes(1)))
struct AsyncClientTests {
    @Test func `calls return what the blocking client returns`() async throws {
        let fake = try FakeSupervisor { call in
            call.name == "Fire"
                ? .reply(Wire.Fire.Reply(run: .sample(17)))
                : .refuse(Wire.NoSuchRun(run: 1, message: "no", remedy: ""))
        }
        defer { fake.stop() }
        let client = AsyncClient(socketPath: fake.path)
        #expect(try await client.fire("t") == .sample(17))
        await #expect(throws: FafError(.noSuchRun, "")) { try await client.run(1) }
    }

    @Test func `many calls at a time do not wait for each other`() async throws {
        let fake = try FakeSupervisor { call in
            call.name == "Wait" ? .hang([]) : .reply(Wire.GetRun.Reply(run: .sample(1)))
        }
        defer { fake.stop() }
        let client = AsyncClient(socketPath: fake.path)
        let waiting = Task { try await client.wait(for: [1]) }
        let numbers = try await withThrowingTaskGroup(of: Int64.self) { group in
            for _ in 0..<20 { group.addTask { try await client.run(1).number } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(numbers == Array(repeating: 1, count: 20))
        waiting.cancel()
        await #expect(throws: FafError(.cancelled, "")) { try await waiting.value }
    }

    @Test func `cancelling a call closes its connection`() async throws {
        let fake = try FakeSupervisor { _ in .hang([]) }
        defer { fake.stop() }
        let client = AsyncClient(socketPath: fake.path)
        let call = Task { try await client.fire("t") }
        try await wait { fake.calls.count == 1 }
        call.cancel()
        await #expect(throws: FafError(.cancelled, "")) { try await call.value }
        try await wait { fake.endedConnections == 1 }
    }

    @Test func `a call of a cancelled task is not made`() async throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.Fire.Reply(run: .sample(1))) }
        defer { fake.stop() }
        let client = AsyncClient(socketPath: fake.path)
        let call = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await client.fire("t")
        }
        call.cancel()
        await #expect(throws: FafError(.cancelled, "")) { try await call.value }
        #expect(fake.calls.isEmpty)
    }

    @Test func `a stream gives all replies in order and ends`() async throws {
        let replies = (1...100).map { Wire.Watch.Reply(run: .sample($0)).json }
        let fake = try FakeSupervisor { _ in .replies(replies) }
        defer { fake.stop() }
        var numbers: [Int64] = []
        for try await reply in AsyncClient(socketPath: fake.path).watch() { numbers.append(reply.run.number) }
        #expect(numbers == Array(1...100))
    }

    @Test func `leaving a stream closes its connection`() async throws {
        let fake = try FakeSupervisor { _ in .hang([Wire.Watch.Reply(run: .sample(1)).json]) }
        defer { fake.stop() }
        for try await reply in AsyncClient(socketPath: fake.path).watch(run: 1) {
            #expect(reply.run.number == 1)
            break
        }
        try await wait { fake.endedConnections == 1 }
    }

    @Test func `leaving a stream that nobody reads ends its thread`() async throws {
        let replies = (1...100).map { Wire.Watch.Reply(run: .sample($0)).json }
        let fake = try FakeSupervisor { _ in .hang(replies) }
        defer { fake.stop() }
        for try await _ in AsyncClient(socketPath: fake.path).watch() { break }
        try await wait { fake.endedConnections == 1 }
    }

    @Test func `cancelling a task ends the stream that it reads`() async throws {
        let fake = try FakeSupervisor { _ in .hang([Wire.Watch.Reply(run: .sample(1)).json]) }
        defer { fake.stop() }
        let client = AsyncClient(socketPath: fake.path)
        let reading = Task {
            var count = 0
            for try await _ in client.watch(run: 1) { count += 1 }
            return count
        }
        try await wait { fake.calls.count == 1 }
        reading.cancel()
        await #expect(throws: FafError(.cancelled, "")) { try await reading.value }
        try await wait { fake.endedConnections == 1 }
    }

    @Test func `a refused stream throws`() async throws {
        let fake = try FakeSupervisor { _ in .refuse(Wire.NoSuchRun(run: 1, message: "no", remedy: "")) }
        defer { fake.stop() }
        let client = AsyncClient(socketPath: fake.path)
        await #expect(throws: FafError(.noSuchRun, "")) {
            for try await _ in client.watch(run: 1) {}
        }
    }

    /// For a fact, not for a time; the suite's limit ends it.
    private func wait(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }
}
