internal import Synchronization
internal import TaskModel

/// Events on their way to the one consumer, who gets all that wait at once. A change that waits already is not queued
/// twice, so the queue never holds more than two events per attempt, however slow the consumer is.
final class EventQueue: Sendable {
    private struct State {
        var waiting: [LauncherEvent] = []
        var changed: Set<InvocationID> = []
        var consumer: CheckedContinuation<[LauncherEvent]?, Never>?
        var isFinished = false
    }

    private let state = Mutex(State())

    func push(_ events: [LauncherEvent]) {
        if events.isEmpty { return }
        let consumer: CheckedContinuation<[LauncherEvent]?, Never>? = state.withLock { state in
            if state.isFinished { return nil }
            if let consumer = state.consumer {
                state.consumer = nil
                return consumer
            }
            for event in events {
                if case .changed(let id) = event, !state.changed.insert(id).inserted { continue }
                if event == .overflow && state.waiting.contains(.overflow) { continue }
                state.waiting.append(event)
            }
            return nil
        }
        consumer?.resume(returning: events)
    }

    func finish() {
        let consumer = state.withLock { state in
            state.isFinished = true
            defer { state.consumer = nil }
            return state.consumer
        }
        consumer?.resume(returning: nil)
    }

    /// What has happened since the last call, or happens next; `nil` after the end, or when the task is cancelled.
    func next() async -> [LauncherEvent]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (old, answer): (CheckedContinuation<[LauncherEvent]?, Never>?, [LauncherEvent]??) = state.withLock {
                    state in
                    if !state.waiting.isEmpty {
                        defer { (state.waiting, state.changed) = ([], []) }
                        return (nil, .some(state.waiting))
                    }
                    if state.isFinished || Task.isCancelled { return (nil, .some(nil)) }
                    defer { state.consumer = continuation }
                    return (state.consumer, nil)
                }
                old?.resume(returning: nil)  // a second consumer takes the first one's place
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let consumer = state.withLock { state in
                defer { state.consumer = nil }
                return state.consumer
            }
            consumer?.resume(returning: nil)
        }
    }
}
