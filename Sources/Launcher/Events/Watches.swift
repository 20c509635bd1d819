internal import LinuxSystem
internal import Logging
internal import ShimProtocol
internal import Synchronization
internal import TaskModel

/// The shims that are watched, by proven pidfd, and the one inotify instance on the records directory.
final class Watches: Sendable {
    /// A shim that held its record's lock when its pidfd was opened.
    final class Shim: Sendable {
        let handle: ProcessHandle
        init(_ handle: consuming ProcessHandle) { self.handle = handle }
    }

    private let loop: EventLoop
    private let queue: EventQueue
    private let logger: Logger
    private let inotify: Inotify
    private struct Watch {
        var shim: Shim
        var token: UInt64
        /// Of the record when its last change was told; `nil`: none was.
        var digest: UInt32?
        /// What follows when it has gone, in place of an event.
        var farewell: (@Sendable () -> Void)?
    }

    /// What tasks say is told, too: somebody listens.
    let hearsWords = Atomic(true)

    private let records: String
    private let shims = Mutex<[InvocationID: Watch]>([:])

    init(records: String, loop: EventLoop, queue: EventQueue, logger: Logger) throws(SystemError) {
        self.loop = loop
        self.queue = queue
        self.logger = logger
        self.records = records
        inotify = try Inotify()
        try inotify.watch(records, [.modified, .onlyDirectory])
        try loop.add(inotify.descriptor.rawValue, .readable) { [weak self] wake in
            if wake == .ready { self?.readInotify() }
        }
    }

    func shim(of id: InvocationID) -> Shim? { shims.withLock { $0[id]?.shim } }

    /// Begins to watch; an event tells its end.
    func add(_ id: InvocationID, _ shim: Shim) throws(SystemError) {
        // Under the lock, so that a shim that ends at once is in the table when its handler looks for it.
        try shims.withLock { (shims) throws(SystemError) in
            if shims[id] != nil { return }
            let token = try loop.add(shim.handle.descriptor.rawValue, [.readable, .once]) { [weak self, shim] wake in
                _ = shim  // the descriptor stays open until the loop has let go of it
                if wake == .ready { self?.gone(id) }
            }
            shims[id] = Watch(shim: shim, token: token)
        }
    }

    /// No more events of this attempt; `farewell` is called, on the loop's thread, when its shim has gone.
    ///
    /// - Returns: false: it is not watched.
    func release(_ id: InvocationID, _ farewell: @escaping @Sendable () -> Void) -> Bool {
        shims.withLock { shims in
            shims[id]?.farewell = farewell
            return shims[id] != nil
        }
    }

    private func gone(_ id: InvocationID) {
        guard let watch = shims.withLock({ $0.removeValue(forKey: id) }) else { return }
        _ = try? watch.shim.handle.reap()  // a child only where fafd is the subreaper
        if let farewell = watch.farewell { farewell() } else { queue.push(.shimGone(id)) }
    }

    private func readInotify() {
        let events: [Inotify.Event]
        do { events = try inotify.events() } catch {
            logger.error(
                "the records directory cannot be watched, reading all records", metadata: ["error": "\(error)"])
            queue.push(.overflow)
            return
        }
        for event in events {
            if event.mask.contains(.overflow) {
                queue.push(.overflow)
            } else if let id = event.name.flatMap(RecordName.invocation(in:)), isNews(of: id) {
                queue.push(.changed(id))
            }
        }
    }

    /// Whether somebody has to look at this attempt: it is watched, and more than the task's words has changed, or they
    /// are listened to. A thousand tasks that say their status each second are to cost next to nothing.
    private func isNews(of id: InvocationID) -> Bool {
        guard let watch = shims.withLock({ $0[id] }), watch.farewell == nil else { return false }
        if hearsWords.load(ordering: .sequentiallyConsistent) { return true }
        // Read after the change and before whoever is told looks: what he sees is this or newer.
        let digest = digest(of: id)
        if let digest, digest == watch.digest { return false }
        shims.withLock { $0[id]?.digest = digest }
        return true
    }

    private func digest(of id: InvocationID) -> UInt32? {
        guard let file = try? Files.open("\(records)/\(id)", [.noFollow, .nonblocking]),
            let bytes = try? file.read(maximum: AttemptRecord.digestedLength)
        else { return nil }
        return AttemptRecord.digest(of: bytes)
    }
}
