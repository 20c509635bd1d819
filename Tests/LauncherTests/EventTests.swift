import LinuxSystem
import Synchronization
import TaskModel
import Testing

@testable import Launcher

struct EventTests {
    @Test func `a change that waits already is not queued twice`() async {
        let queue = EventQueue()
        let (a, b) = (InvocationID.random(), InvocationID.random())
        for event in [
            LauncherEvent.changed(a), .changed(b), .changed(a), .shimGone(a), .changed(a), .overflow, .overflow,
        ] {
            queue.push(event)
        }
        queue.push(.changed(b))
        var got: [LauncherEvent] = []
        for _ in 0..<4 { if let event = await queue.next() { got.append(event) } }
        #expect(got == [.changed(a), .changed(b), .shimGone(a), .overflow])
        queue.push(.changed(a))
        #expect(await queue.next() == .changed(a))
        queue.finish()
        #expect(await queue.next() == nil)
    }

    @Test func `a consumer that waits is woken, and a cancelled one leaves`() async {
        let queue = EventQueue()
        let consumer = Task { await queue.next() }
        try? await Task.sleep(for: .milliseconds(10))
        queue.push(.overflow)
        #expect(await consumer.value == .overflow)
        let cancelled = Task { await queue.next() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        queue.push(.overflow)
        #expect(await queue.next() == .overflow)
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
