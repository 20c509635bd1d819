public import NIOCore

/// Runs tasks on an event loop's thread: what is begun there and waits for nothing else costs no switch of threads.
///
/// Whatever blocks there keeps all connections of that loop waiting.
public final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    public init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
