import Synchronization
public import TaskModel

/// Tells one listener which runs have changed since it last asked. A run that changes often while nobody asks is told
/// once, so a slow listener costs no memory beyond the numbers of the runs.
public final class ChangeFeed: Sendable {
    private struct State {
        var changed: [RunID] = []
        var known: Set<RunID> = []
        var waiting: CheckedContinuation<RunID?, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let matches: @Sendable (Run) -> Bool

    init(_ matches: @escaping @Sendable (Run) -> Bool) { self.matches = matches }

    func publish(_ run: Run) {
        guard matches(run) else { return }
        let id = run.id
        let waiting = state.withLock { state -> CheckedContinuation<RunID?, Never>? in
            if state.isClosed { return nil }
            if let waiting = state.waiting {
                state.waiting = nil
                return waiting
            }
            if state.known.insert(id).inserted { state.changed.append(id) }
            return nil
        }
        waiting?.resume(returning: id)
    }

    func close() {
        let waiting = state.withLock { state -> CheckedContinuation<RunID?, Never>? in
            state.isClosed = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: nil)
    }

    /// The runs that have changed since the last call, for who does not wait.
    public func changed() -> [RunID] {
        state.withLock { state in
            defer { (state.changed, state.known) = ([], []) }
            return state.changed
        }
    }

    /// The next run that has changed; `nil` when the feed is closed or the calling task is cancelled. One caller at a
    /// time.
    public func next() async -> RunID? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> RunID?? in
                    if !state.changed.isEmpty {
                        let id = state.changed.removeFirst()
                        state.known.remove(id)
                        return .some(id)
                    }
                    if state.isClosed { return .some(nil) }
                    state.waiting = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            close()
        }
    }
}
