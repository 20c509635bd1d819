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
    }

    /// What tasks say is told, too: somebody listens.
    let hearsWords = Atomic(true)

    /// µs. A run writes its record half a dozen times at its beginning and end: whoever is told is told once for all that
    /// came within this time.
    static let gatheringTime: Int64 = 1500
    /// µs. So long after its go a run is expected to be over. One that is costs one look and no watch. Eight at a time on
    /// a busy machine take some 30 ms.
    static let shortRun: Int64 = 100_000

    private let records: String
    private let inotifyToken = Mutex<UInt64?>(nil)
    /// When these are told at the latest.
    private let expected = Mutex<[InvocationID: Int64]>([:])
    private let shims = Mutex<[InvocationID: Watch]>([:])

    init(records: String, loop: EventLoop, queue: EventQueue, logger: Logger) throws(SystemError) {
        self.loop = loop
        self.queue = queue
        self.logger = logger
        self.records = records
        inotify = try Inotify()
        try inotify.watch(records, [.modified, .onlyDirectory])
        let token = try loop.add(inotify.descriptor.rawValue, gathering: Watches.gatheringTime) { [weak self] wake in
            if wake == .ready { self?.readInotify() }
        }
        inotifyToken.withLock { $0 = token }
    }

    /// Has a change told, once, of an attempt that has no watch yet: when it is over, or `shortRun` is, or somebody hears
    /// what it says.
    func expect(_ id: InvocationID) { expect(id, within: Watches.shortRun) }

    /// An attempt that is expected is told soon: something will happen to it, and somebody waits for that.
    func hurry(_ id: InvocationID) {
        if expected.withLock({ $0[id] }) != nil { expect(id, within: 0) }
    }

    private func expect(_ id: InvocationID, within time: Int64) {
        expected.withLock { $0[id] = Clocks.boottime + time }
        if let token = inotifyToken.withLock({ $0 }) { loop.gather(token, within: time) }
    }

    func shim(of id: InvocationID) -> Shim? { shims.withLock { $0[id]?.shim } }

    /// Begins to watch; an event tells its end.
    func add(_ id: InvocationID, _ shim: Shim) throws(SystemError) {
        expected.withLock { $0[id] = nil }
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

    /// No more events of this attempt. The shim that was watched, if it is still there.
    func remove(_ id: InvocationID) -> Shim? {
        guard let watch = shims.withLock({ $0.removeValue(forKey: id) }) else { return nil }
        loop.remove(watch.token)
        return watch.shim
    }

    private func gone(_ id: InvocationID) {
        guard let watch = shims.withLock({ $0.removeValue(forKey: id) }) else { return }
        _ = try? watch.shim.handle.reap()  // a child only where fafd is the subreaper
        queue.push([.shimGone(id)])
    }

    private func readInotify() {
        let events: [Inotify.Event]
        do { events = try inotify.events() } catch {
            logger.error(
                "the records directory cannot be watched, reading all records", metadata: ["error": "\(error)"])
            return queue.push([.overflow])
        }
        if events.contains(where: { $0.mask.contains(.overflow) }) { return queue.push([.overflow]) }
        let changed = Set(events.compactMap { $0.name.flatMap(RecordName.invocation(in:)) })
        queue.push((changed.filter(isNews) + overdue()).map { .changed($0) })
    }

    /// Those that were expected long enough.
    private func overdue() -> [InvocationID] {
        let now = Clocks.boottime
        let (overdue, next) = expected.withLock { expected in
            let overdue = expected.filter { $0.value <= now }.map(\.key)
            for id in overdue { expected[id] = nil }
            return (overdue, expected.values.min())
        }
        if let next, let token = inotifyToken.withLock({ $0 }) { loop.gather(token, within: next - now) }
        return overdue
    }

    /// Whether somebody has to look at this attempt: it is watched, and more than the task's words has changed, or they
    /// are listened to. A thousand tasks that say their status each second are to cost next to nothing.
    private func isNews(of id: InvocationID) -> Bool {
        if expected.withLock({ $0[id] }) != nil {
            guard
                hearsWords.load(ordering: .sequentiallyConsistent)
                    || beginning(of: id).map(AttemptRecord.isOver) == true
            else { return false }
            return expected.withLock { $0.removeValue(forKey: id) } != nil
        }
        guard let watch = shims.withLock({ $0[id] }) else { return false }
        if hearsWords.load(ordering: .sequentiallyConsistent) { return true }
        // Read after the change and before whoever is told looks: what he sees is this or newer.
        let digest = beginning(of: id).flatMap(AttemptRecord.digest)
        if let digest, digest == watch.digest { return false }
        shims.withLock { $0[id]?.digest = digest }
        return true
    }

    private func beginning(of id: InvocationID) -> [UInt8]? {
        guard let file = try? Files.open("\(records)/\(id)", [.noFollow, .nonblocking]) else { return nil }
        return try? file.read(maximum: AttemptRecord.digestedLength)
    }
}
