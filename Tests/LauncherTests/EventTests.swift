import Glibc
import LinuxSystem
import Synchronization
import TaskModel
import Testing

@testable import Launcher

struct EventTests {
    @Test func `all that waits is told at once, and a change that waits already not twice`() async {
        let queue = EventQueue()
        let (a, b) = (InvocationID.random(), InvocationID.random())
        queue.push([.changed(a), .changed(b), .changed(a), .shimGone(a), .changed(a), .overflow, .overflow])
        queue.push([])
        queue.push([.changed(b)])
        #expect(await queue.next() == [.changed(a), .changed(b), .shimGone(a), .overflow])
        queue.push([.changed(a)])
        #expect(await queue.next() == [.changed(a)])
        queue.finish()
        #expect(await queue.next() == nil)
    }

    @Test func `a consumer that waits is woken, and a cancelled one leaves`() async {
        let queue = EventQueue()
        let consumer = Task { await queue.next() }
        try? await Task.sleep(for: .milliseconds(10))
        queue.push([])
        queue.push([.overflow])
        #expect(await consumer.value == [.overflow])
        let cancelled = Task { await queue.next() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        queue.push([.overflow])
        #expect(await queue.next() == [.overflow])
    }

    @Test func `a deadline passes once, a ready descriptor wins`() async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        let pair = try UnixSocket.pair(.stream)
        let descriptor = pair.first.rawValue
        let late = await withCheckedContinuation { continuation in
            do {
                try loop.add(descriptor, [.readable, .once], deadline: Clocks.boottime + 5000) {
                    continuation.resume(returning: $0)
                }
            } catch { continuation.resume(returning: .stopped) }
        }
        #expect(late == .timedOut)
        try pair.second.send([1])
        let early = await withCheckedContinuation { continuation in
            do {
                try loop.add(descriptor, [.readable, .once], deadline: Clocks.boottime + 60_000_000) {
                    continuation.resume(returning: $0)
                }
            } catch { continuation.resume(returning: .stopped) }
        }
        #expect(early == .ready)
    }

    @Test func `what comes within a moment is told once, and what comes later by another call`() async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        let pair = try UnixSocket.pair(.packet)
        try pair.first.setNonblocking(true)
        let reader = Reader(pair.first.rawValue)
        let (calls, told) = AsyncStream.makeStream(of: Int.self)
        let token = try loop.add(reader.descriptor, gathering: 20_000) { wake in
            if wake == .ready { told.yield(reader.read()) }
        }
        var iterator = calls.makeAsyncIterator()
        let begin = Clocks.boottime
        for _ in 0..<3 { try pair.second.send([1]) }
        #expect(await iterator.next() == 3)
        #expect(Clocks.boottime - begin >= 20_000)
        try pair.second.send([1])
        #expect(await iterator.next() == 1)
        // Nothing to read: somebody wants a look all the same.
        loop.gather(token, within: 1000)
        loop.gather(token, within: 60_000_000)
        #expect(await iterator.next() == 0)
        try pair.second.send([1])
        #expect(await iterator.next() == 1)
    }

    /// Of a descriptor that its test keeps open.
    private struct Reader: Sendable {
        let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }

        /// How many messages there were.
        func read() -> Int {
            var byte: UInt8 = 0
            var count = 0
            while recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) == 1 { count += 1 }
            return count
        }
    }

    @Test func `an earlier deadline is kept while a later one is waited for`() async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        let launched = try UnixSocket.pair(.stream)
        let waiting = try UnixSocket.pair(.stream)
        let earlier = waiting.first.rawValue
        let first = try loop.add(launched.first.rawValue, [.readable, .once], deadline: Clocks.boottime + 60_000_000) {
            _ in
        }
        loop.remove(first)
        let wake = await withCheckedContinuation { continuation in
            do {
                try loop.add(earlier, [.readable, .once], deadline: Clocks.boottime + 5000) {
                    continuation.resume(returning: $0)
                }
            } catch { continuation.resume(returning: .stopped) }
        }
        #expect(wake == .timedOut)
    }

    @Test func `stopping wakes everybody, and nobody is added then`() throws {
        let loop = try EventLoop()
        let pair = try UnixSocket.pair(.stream)
        let woken = Mutex<[EventLoop.Wake]>([])
        try loop.add(pair.first.rawValue, [.readable, .once]) { wake in woken.withLock { $0.append(wake) } }
        loop.stop()
        #expect(woken.withLock { $0 } == [.stopped])
        #expect(throws: SystemError.self) { try loop.add(pair.first.rawValue, .readable) { _ in } }
    }
}
