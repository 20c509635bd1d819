import Glibc
import Synchronization

/// Ends a call that blocks, from another thread: shutdown(2) makes its recv(2) see the end of the stream.
final class Interruption: Sendable {
    private enum State {
        case waiting
        /// The connection's descriptor: its owner detaches before it closes.
        case attached(Int32)
        case cancelled
    }

    private let state = Mutex(State.waiting)

    /// False: cancelled already, so the call must not be made.
    func attach(_ descriptor: Int32) -> Bool {
        state.withLock { state in
            if case .cancelled = state { return false }
            state = .attached(descriptor)
            return true
        }
    }

    func detach() {
        state.withLock { state in
            if case .attached = state { state = .waiting }
        }
    }

    func cancel() {
        state.withLock { state in
            if case .attached(let descriptor) = state { shutdown(descriptor, Int32(SHUT_RDWR)) }
            state = .cancelled
        }
    }

    var isCancelled: Bool {
        state.withLock { if case .cancelled = $0 { true } else { false } }
    }
}
