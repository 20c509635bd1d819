internal import Lifecycle
internal import Synchronization
internal import TaskModel

/// What comes of one fire: given once, waited for once, in either order and on any thread.
final class FireAnswer: Sendable {
    private enum State {
        case open
        case waitedFor(CheckedContinuation<Result<Run, FireRefusal>, Never>)
        case given(Result<Run, FireRefusal>)
    }

    private let state = Mutex(State.open)

    /// What is given after the first answer changes nothing.
    func give(_ result: Result<Run, FireRefusal>) {
        let waiter = state.withLock { state -> CheckedContinuation<Result<Run, FireRefusal>, Never>? in
            switch state {
            case .open:
                state = .given(result)
                return nil
            case .waitedFor(let waiter):
                state = .given(result)
                return waiter
            case .given:
                return nil
            }
        }
        waiter?.resume(returning: result)
    }

    var value: Run {
        get async throws(FireRefusal) {
            let result = await withCheckedContinuation { continuation in
                let given = state.withLock { state -> Result<Run, FireRefusal>? in
                    if case .given(let result) = state { return result }
                    state = .waitedFor(continuation)
                    return nil
                }
                if let given { continuation.resume(returning: given) }
            }
            return try result.get()
        }
    }
}
