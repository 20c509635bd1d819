internal import LinuxSystem
internal import Synchronization

/// Sends entries to journald and never waits for it (threat-model.md, K): what it does not take is kept up to a limit and
/// sent as soon as it reads again; what is beyond that is dropped, counted, and told.
public final class JournalSocket: Sendable {
    /// Entries kept while journald does not read.
    static let limit = 1000

    private struct State {
        var socket: OwnedSocket?
        var waiting: [JournalEntry] = []
        var dropped = 0
        /// A thread tries to send what waits.
        var isRetrying = false
    }

    /// So that a state that can be exchanged may own it.
    private final class OwnedSocket: Sendable {
        let descriptor: OwnedDescriptor
        init(_ path: String) throws(SystemError) {
            descriptor = try UnixSocket.connect(path: path, kind: .datagram)
            try descriptor.setNonblocking(true)
        }
    }

    private let path: String
    private let state = Mutex(State())

    public init(path: String) { self.path = path }

    /// Entries that were dropped and not yet told of.
    var dropped: Int { state.withLock { $0.dropped } }

    public func send(_ entry: JournalEntry) {
        let needsRetry = state.withLock { state in
            state.waiting.append(entry)
            if !state.isRetrying { flush(&state) }
            if state.waiting.count > Self.limit {
                state.waiting.removeFirst()
                state.dropped += 1
            }
            if state.waiting.isEmpty || state.isRetrying { return false }
            state.isRetrying = true
            return true
        }
        if needsRetry { startRetrying() }
    }

    /// Asks again and again, less and less often.
    private func startRetrying() {
        do {
            try SystemThread.start(name: "journal-retry") { [self] in
                var delay: UInt64 = 1000
                repeat {
                    SystemThread.sleep(microseconds: delay)
                    delay = min(delay * 2, 500_000)
                } while !retry()
            }
        } catch {
            state.withLock { $0.isRetrying = false }  // the next entry tries again
        }
    }

    /// Whether nothing waits any more.
    private func retry() -> Bool {
        state.withLock { state in
            flush(&state)
            if state.waiting.isEmpty { state.isRetrying = false }
            return state.waiting.isEmpty
        }
    }

    private func flush(_ state: inout State) {
        if state.dropped > 0 {
            guard deliver(Self.report(state.dropped), &state) else { return }
            state.dropped = 0
        }
        var sent = 0
        for entry in state.waiting {
            guard deliver(entry, &state) else { break }
            sent += 1
        }
        state.waiting.removeFirst(sent)
    }

    /// Once more with a new connection: journald may have been started again.
    private func deliver(_ entry: JournalEntry, _ state: inout State) -> Bool {
        for _ in 0..<2 {
            do throws(SystemError) {
                let socket: OwnedSocket
                if let open = state.socket { socket = open } else { socket = try OwnedSocket(path) }
                state.socket = socket
                try socket.descriptor.send(entry.bytes)
                return true
            } catch {
                if error.errno == ErrorNumber.again { return false }
                state.socket = nil
            }
        }
        return false
    }

    private static func report(_ count: Int) -> JournalEntry {
        var entry = JournalEntry()
        entry.add("MESSAGE", "\(count) entries were dropped, since journald did not read them")
        entry.add("PRIORITY", "4")
        entry.add("SYSLOG_IDENTIFIER", "fafd")
        return entry
    }
}
