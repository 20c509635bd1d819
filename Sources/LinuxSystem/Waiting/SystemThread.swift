internal import CLinux

/// A POSIX thread for a loop that blocks in the kernel: such waits may not occupy the threads of Swift's executors.
public enum SystemThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread with every signal blocked. The name is cut to 15 bytes.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let context = Unmanaged.passRetained(Body(body))
        let result = fafd_thread(
            { context in
                guard let context else { return }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            }, context.toOpaque(), name)
        if result < 0 { context.release() }
        try check(result, "pthread_create")
    }

    /// Blocks the calling thread: for short waits in places that have no task to suspend.
    public static func sleep(microseconds: UInt64) { fafd_sleep_us(microseconds) }
}
