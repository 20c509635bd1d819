internal import LinuxSystem
internal import Synchronization

/// One thread that waits on all descriptors of the launcher, and the deadlines of those that have one.
final class EventLoop: Sendable {
    enum Wake: Sendable, Equatable { case ready, timedOut, stopped }

    private struct Entry {
        let descriptor: Int32
        let isOnce: Bool
        /// µs of CLOCK_BOOTTIME.
        let deadline: Int64?
        let handler: @Sendable (Wake) -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var nextToken: UInt64 = 1
        /// The tokens that have a deadline: few, launches in flight.
        var timed: Set<UInt64> = []
        var isStopped = false
    }

    private let poller: Poller
    private let state = Mutex(State())

    init() throws(SystemError) {
        poller = try Poller()
        // The thread owns the loop until it is stopped.
        try SystemThread.start(name: "faf-launcher") { [self] in turn() }
    }

    /// Calls `handler` on the loop's thread whenever the descriptor is ready; with `.once`, or when the deadline passes or
    /// the loop stops, for the last time. The descriptor has to stay open until then or until `remove`.
    @discardableResult
    func add(
        _ descriptor: Int32, _ events: Poller.Events, deadline: Int64? = nil,
        _ handler: @escaping @Sendable (Wake) -> Void
    ) throws(SystemError) -> UInt64 {
        let token: UInt64? = state.withLock { state in
            if state.isStopped { return nil }
            let token = state.nextToken
            state.nextToken += 1
            state.entries[token] = Entry(
                descriptor: descriptor, isOnce: events.contains(.once), deadline: deadline, handler: handler)
            if deadline != nil { state.timed.insert(token) }
            return token
        }
        guard let token else { throw SystemError(call: "epoll_ctl", errno: ErrorNumber.cancelled) }
        do { try poller.add(descriptor, events, token: token) } catch {
            _ = take(token)
            throw error
        }
        if deadline != nil { poller.wake() }  // it may be the earliest
        return token
    }

    /// Ends the watch; false: its handler was, or is just being, called for the last time.
    @discardableResult
    func remove(_ token: UInt64) -> Bool { take(token) != nil }

    /// Ends the thread; every handler is called with `stopped`.
    func stop() {
        let left = state.withLock { state in
            state.isStopped = true
            defer { state.entries = [:] }
            return state.entries.values.map { $0 }
        }
        for entry in left {
            poller.remove(entry.descriptor)
            entry.handler(.stopped)
        }
        poller.wake()
    }

    private func take(_ token: UInt64) -> Entry? {
        let entry = state.withLock { state in
            state.timed.remove(token)
            return state.entries.removeValue(forKey: token)
        }
        if let entry { poller.remove(entry.descriptor) }
        return entry
    }

    private func turn() {
        while true {
            let (isStopped, deadline) = state.withLock { state in
                (state.isStopped, state.timed.compactMap { state.entries[$0]?.deadline }.min())
            }
            if isStopped { return }
            let timeout = deadline.map { Int32(clamping: max(0, ($0 - Clocks.boottime + 999) / 1000)) }
            // Only a broken descriptor of our own makes epoll_wait fail; a pause keeps that from spinning.
            guard let ready = try? poller.wait(milliseconds: timeout) else {
                SystemThread.sleep(microseconds: 100_000)
                continue
            }
            for one in ready { wake(one.token) }
            expire()
        }
    }

    private func wake(_ token: UInt64) {
        let entry = state.withLock { $0.entries[token] }
        guard let entry else { return }  // removed meanwhile
        if entry.isOnce {
            // Whoever takes it calls it: `remove` may be faster.
            if take(token) != nil { entry.handler(.ready) }
        } else {
            entry.handler(.ready)
        }
    }

    private func expire() {
        let now = Clocks.boottime
        let over = state.withLock { state in state.timed.filter { state.entries[$0]?.deadline ?? Int64.max <= now } }
        for token in over { take(token)?.handler(.timedOut) }
    }
}
