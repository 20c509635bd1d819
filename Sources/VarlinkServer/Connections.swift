internal import NIOCore
internal import Synchronization

/// The connections that there are: counted per user, and found again when the server stops.
final class Connections: Sendable {
    private struct State {
        var total = 0
        var perUser: [UInt32: Int] = [:]
        var pendingBytes: [UInt32: Int] = [:]
        var handlers: [UInt64: NIOLoopBound<ConnectionHandler>] = [:]
        var nextID: UInt64 = 0
        var isStopping = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let limits: Limits
    private let state = Mutex(State())

    init(limits: Limits) { self.limits = limits }

    var count: Int { state.withLock { $0.total } }

    /// Counts a connection of `user`, or says which limit forbids it.
    func admit(user: UInt32) -> LimitReached? {
        state.withLock { state in
            let isRoot = user == 0
            let total = isRoot ? limits.connections : limits.connections - limits.connectionsForRoot
            guard !state.isStopping, state.total < total else { return .connections }
            let own = state.perUser[user, default: 0]
            guard isRoot || own < limits.connectionsPerUser else { return .connectionsPerUser }
            state.total += 1
            state.perUser[user] = own + 1
            return nil
        }
    }

    /// The connection is over, and its calls too.
    func leave(user: UInt32) {
        let waiter = state.withLock { state in
            state.total -= 1
            let own = state.perUser[user, default: 1] - 1
            state.perUser[user] = own > 0 ? own : nil
            guard state.isStopping, state.total == 0 else { return nil as CheckedContinuation<Void, Never>? }
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Counts bytes of unfinished messages; false if they are too many, and then they are not counted.
    func hold(bytes: Int, user: UInt32) -> Bool {
        state.withLock { state in
            let held = state.pendingBytes[user, default: 0] + bytes
            guard bytes <= 0 || held <= limits.pendingBytesPerUser else { return false }
            state.pendingBytes[user] = held > 0 ? held : nil
            return true
        }
    }

    /// `nil` if the server stops already.
    func add(_ handler: NIOLoopBound<ConnectionHandler>) -> UInt64? {
        state.withLock { state in
            if state.isStopping { return nil }
            state.nextID += 1
            state.handlers[state.nextID] = handler
            return state.nextID
        }
    }

    func remove(_ id: UInt64) { state.withLock { _ = $0.handlers.removeValue(forKey: id) } }

    /// Asks every connection to come to its end. From here on nobody is admitted.
    func stop() {
        for handler in state.withLock({ state in
            state.isStopping = true
            return Array(state.handlers.values)
        }) {
            handler.eventLoop.execute { handler.value.stop() }
        }
    }

    /// Returns when all connections and their calls are over; `stop` was called before.
    func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.total > 0 { state.waiter = continuation }
                return state.total == 0
            }
            if isEmpty { continuation.resume() }
        }
    }
}
