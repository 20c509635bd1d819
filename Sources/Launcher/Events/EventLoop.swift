internal import LinuxSystem
internal import Synchronization

/// One thread that waits on all descriptors of the launcher, and the deadlines of those that have one.
final class EventLoop: Sendable {
    enum Wake: Sendable, Equatable { case ready, timedOut, stopped }

    private struct Entry {
        let descriptor: Int32
        let isOnce: Bool
        /// µs of CLOCK_BOOTTIME.
        var deadline: Int64?
        /// µs: what comes so soon after another event is told with it.
        var gathering: Int64?
        let handler: @Sendable (Wake) -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var nextToken: UInt64 = 1
        /// The tokens that have a deadline: few, launches in flight.
        var timed: Set<UInt64> = []
        /// The thread waits no longer than until then. `.min`: it does not wait.
        var wakesAt = Int64.min
        /// It wakes then even if nothing is due any more: that costs less than to be woken for each launch, which all
        /// have about the same limit.
        var horizon = Int64.min
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
        try add(
            Entry(descriptor: descriptor, isOnce: events.contains(.once), deadline: deadline, handler: handler), events)
    }

    /// Calls `handler` with `ready` so many µs after the descriptor became readable or had to be by `gather`, once for all
    /// that has happened in between. What happens while it runs is told next time.
    func add(
        _ descriptor: Int32, gathering time: Int64, _ handler: @escaping @Sendable (Wake) -> Void
    ) throws(SystemError) -> UInt64 {
        try add(Entry(descriptor: descriptor, isOnce: false, gathering: time, handler: handler), [.readable, .once])
    }

    /// Has such a handler called in so many µs at the latest, as if its descriptor had become readable.
    func gather(_ token: UInt64, within time: Int64) {
        let isEarliest = state.withLock { state in
            guard let entry = state.entries[token], entry.gathering != nil else { return false }
            let deadline = Clocks.boottime + time
            if let known = entry.deadline, known <= deadline { return false }
            state.entries[token]?.deadline = deadline
            state.timed.insert(token)
            return deadline < state.wakesAt
        }
        if isEarliest { poller.wake() }
    }

    private func add(_ entry: Entry, _ events: Poller.Events) throws(SystemError) -> UInt64 {
        let (token, isEarliest): (UInt64?, Bool) = state.withLock { state in
            if state.isStopped { return (nil, false) }
            let token = state.nextToken
            state.nextToken += 1
            state.entries[token] = entry
            guard let deadline = entry.deadline else { return (token, false) }
            state.timed.insert(token)
            if deadline >= state.wakesAt { return (token, false) }
            state.horizon = deadline
            return (token, true)
        }
        guard let token else { throw SystemError(call: "epoll_ctl", errno: ErrorNumber.cancelled) }
        do { try poller.add(entry.descriptor, events, token: token) } catch {
            _ = take(token)
            throw error
        }
        if isEarliest { poller.wake() }
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
            let now = Clocks.boottime
            let (isStopped, deadline) = state.withLock { state in
                let due = state.timed.compactMap { state.entries[$0]?.deadline }
                state.wakesAt = min(due.min() ?? .max, state.horizon > now ? state.horizon : .max)
                return (state.isStopped, state.wakesAt)
            }
            if isStopped { return }
            let timeout = deadline == .max ? nil : Int32(clamping: max(0, (deadline - now + 999) / 1000))
            // Only a broken descriptor of our own makes epoll_wait fail; a pause keeps that from spinning.
            guard let ready = try? poller.wait(milliseconds: timeout) else {
                SystemThread.sleep(microseconds: 100_000)
                continue
            }
            // All that is added from now on is looked at before it waits again.
            state.withLock { $0.wakesAt = .min }
            for one in ready { wake(one.token) }
            expire()
        }
    }

    private func wake(_ token: UInt64) {
        let entry = state.withLock { $0.entries[token] }
        guard let entry else { return }  // removed meanwhile
        if let time = entry.gathering { return gather(token, within: time) }
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
        for token in over where !tellGathered(token) { take(token)?.handler(.timedOut) }
    }

    /// `false`: it is another kind of entry.
    private func tellGathered(_ token: UInt64) -> Bool {
        let entry = state.withLock { state -> Entry? in
            guard let entry = state.entries[token], entry.gathering != nil else { return nil }
            // Before the handler looks: what comes now is told by another call.
            state.entries[token]?.deadline = nil
            state.timed.remove(token)
            return entry
        }
        guard let entry else { return false }
        entry.handler(.ready)
        do { try poller.watchAgain(entry.descriptor, [.readable, .once], token: token) } catch {
            // It was removed meanwhile.
        }
        return true
    }
}
