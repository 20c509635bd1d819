import Glibc
import Synchronization

/// The replies to a call with `more`, as they come.
///
/// At most 16 replies wait to be taken; then the stream is not read until there is room, and fafd is told so by its
/// full socket.
public struct Replies<Element: Sendable>: AsyncSequence, Sendable {
    public typealias Failure = FafError

    /// Blocks until the stream is over; the closure says whether to go on.
    let read: @Sendable (Interruption, (Element) -> Bool) throws(FafError) -> Void

    init(_ read: @escaping @Sendable (Interruption, (Element) -> Bool) throws(FafError) -> Void) { self.read = read }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(read) }

    public final class AsyncIterator: AsyncIteratorProtocol {
        private let channel = Channel<Element>(limit: 16)

        init(_ read: @escaping @Sendable (Interruption, (Element) -> Bool) throws(FafError) -> Void) {
            let channel = channel
            let isStarted = BlockingThread.start {
                do throws(FafError) {
                    try read(channel.interruption) { channel.put($0) }
                    channel.finish(nil)
                } catch {
                    channel.finish(error)
                }
            }
            if !isStarted { channel.finish(.noThread) }
        }

        deinit { channel.cancel() }

        public func next() async throws(FafError) -> Element? {
            let channel = channel
            let result = await withTaskCancellationHandler {
                await channel.take()
            } onCancel: {
                channel.cancel()
            }
            return try result.get()
        }
    }
}

/// Hands elements from one thread that may block to one task that must not.
private final class Channel<Element: Sendable>: Sendable {
    typealias Taken = Result<Element?, FafError>

    private struct State {
        var elements: [Element] = []
        var consumer: CheckedContinuation<Taken, Never>?
        var end: Taken?
    }

    let interruption = Interruption()
    private let state = Mutex(State())
    /// Counts free places. sem_t needs an address that stays; it is thread-safe by its nature (sem_overview(7)).
    private nonisolated(unsafe) let room: UnsafeMutablePointer<sem_t>

    init(limit: UInt32) {
        room = .allocate(capacity: 1)
        sem_init(room, 0, limit)
    }

    deinit {
        sem_destroy(room)
        room.deallocate()
    }

    /// Blocks while there is no room; false: nobody takes any more.
    func put(_ element: Element) -> Bool {
        while sem_wait(room) != 0 {}
        let consumer: CheckedContinuation<Taken, Never>? = state.withLock { state in
            guard state.end == nil else { return nil }
            if let consumer = state.consumer.take() { return consumer }
            state.elements.append(element)
            return nil
        }
        if let consumer {
            sem_post(room)
            consumer.resume(returning: .success(element))
        }
        return !interruption.isCancelled
    }

    func finish(_ error: FafError?) {
        let end: Taken = error.map { .failure($0) } ?? .success(nil)
        let consumer = state.withLock { state in
            if state.end == nil { state.end = end }
            return state.consumer.take()
        }
        consumer?.resume(returning: end)
    }

    func take() async -> Taken {
        await withCheckedContinuation { continuation in
            let now: Taken? = state.withLock { state in
                if !state.elements.isEmpty {
                    sem_post(room)
                    return .success(state.elements.removeFirst())
                }
                if let end = state.end {
                    // An error is told once; whoever asks again is at the end.
                    state.end = .success(nil)
                    return end
                }
                state.consumer = continuation
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    func cancel() {
        interruption.cancel()
        finish(.wasCancelled)
        // The producer may wait for room that nobody will make.
        sem_post(room)
    }
}
