internal import LinuxSystem
internal import Logging
internal import Synchronization

/// A thread that removes what finished attempts leave: unlinking a durable end takes about 1 ms on ext4, and a cgroup may
/// be busy for a moment after its last process has gone. What a crash leaves here is found at the next start.
final class Cleaner: Sendable {
    /// What is left of one attempt.
    struct Remains: Sendable {
        var end: String
        /// It may write the end as long as it lives.
        var shim: Watches.Shim?
        var cgroup: Cgroup?
        /// Directories, which go with all that is in them.
        var trees: [String] = []
    }

    private struct State {
        var remains: [Remains] = []
        var trees: [String] = []
        var isStopped = false
    }

    /// How often a busy cgroup is tried again, 100 ms apart.
    private static let turns = 50
    /// A directory with very much in it gets this many µs at a time, so that the others get their turn, and so many times.
    private static let treeLimit: (time: UInt64, turns: Int) = (500_000, 1000)

    private let poller: Poller
    private let state = Mutex(State())
    private let launched: LaunchedNames
    private let logger: Logger

    init(launched: LaunchedNames, logger: Logger) throws(SystemError) {
        self.launched = launched
        self.logger = logger
        poller = try Poller()
        // The thread owns the cleaner until it is stopped.
        try SystemThread.start(name: "faf-cleaner") { [self] in run() }
    }

    func remove(_ remains: Remains) {
        let isFirst = state.withLock { state in
            state.remains.append(remains)
            return state.remains.count == 1
        }
        if isFirst { poller.wake() }
    }

    /// Directories with all that is in them.
    func remove(trees: [String]) {
        state.withLock { $0.trees += trees }
        poller.wake()
    }

    /// The thread does what it was given, and ends.
    func stop() {
        state.withLock { $0.isStopped = true }
        poller.wake()
    }

    private func run() {
        var busy: [(cgroup: Cgroup, turn: Int)] = []
        var trees: [(path: String, turn: Int)] = []
        var ends: [Remains] = []
        while true {
            let work = state.withLock { state in
                defer { (state.remains, state.trees) = ([], []) }
                return state
            }
            // Nobody is woken when a shim has gone: that would cost as much as all the rest.
            ends = (ends + work.remains).filter { !removeEnd(of: $0) }
            busy += work.remains.compactMap(\.cgroup).map { ($0, 0) }
            busy = busy.filter { $0.turn < Cleaner.turns && !remove($0.cgroup, isLast: $0.turn + 1 == Cleaner.turns) }
                .map { ($0.cgroup, $0.turn + 1) }
            trees += (work.remains.flatMap(\.trees) + work.trees).map { ($0, 0) }
            trees = trees.filter { !removeTree($0.path, isLast: $0.turn + 1 == Cleaner.treeLimit.turns) }
                .map { ($0.path, $0.turn + 1) }
            if work.isStopped && work.remains.isEmpty { return }
            if work.isStopped { continue }
            _ = try? poller.wait(milliseconds: !trees.isEmpty ? 0 : busy.isEmpty && ends.isEmpty ? nil : 100)
        }
    }

    /// `false`: its shim is still there.
    private func removeEnd(of remains: Remains) -> Bool {
        if let shim = remains.shim {
            guard (try? shim.handle.hasEnded()) != false else { return false }
            _ = try? shim.handle.reap()  // a child only where fafd is the subreaper
        }
        do { try Files.remove(remains.end) } catch {
            logger.error("the end of a finished attempt stays", metadata: ["error": "\(error)"])
        }
        return true
    }

    private func removeTree(_ path: String, isLast: Bool) -> Bool {
        do {
            if try Files.removeTree(path, limit: Cleaner.treeLimit.time) { return true }
            if isLast {
                logger.error("a private temporary directory stays, it fills again", metadata: ["path": "\(path)"])
            }
            return isLast
        } catch {
            logger.error("a private temporary directory stays", metadata: ["error": "\(error)"])
            return true
        }
    }

    /// Whether nothing more is to be done about it.
    private func remove(_ cgroup: Cgroup, isLast: Bool) -> Bool {
        do {
            try launched.unlessUsed(cgroup.name) { () throws(SystemError) in try cgroup.remove() }
            return true
        } catch {
            if error.errno == ErrorNumber.busy && !isLast { return false }
            logger.error("the cgroup of a finished attempt stays", metadata: ["error": "\(error)"])
            return true
        }
    }
}
