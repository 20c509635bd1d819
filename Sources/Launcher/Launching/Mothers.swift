internal import LinuxSystem
internal import Logging
internal import ShimProtocol
internal import Synchronization

/// The process that forks shims (`faf-shim --mother`): one at a time, started on demand, replaced when it dies.
///
/// It is in `shims/`, so that its children are born there; it leaves when its socket closes, its children stay.
final class Mothers: Sendable {
    private let program: OwnedDescriptor
    private let subtree: Subtree
    private let loop: EventLoop
    private let logger: Logger
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var socket: OwnedDescriptor?
        /// Told apart by number: a late death notice is not for the successor.
        var generation: UInt64 = 0
        var current: Process?
        var isEnded = false
    }

    private final class Process: Sendable {
        let handle: ProcessHandle
        init(_ handle: consuming ProcessHandle) { self.handle = handle }
    }

    enum Outcome: Sendable, Equatable { case sent, full }

    init(program: consuming OwnedDescriptor, subtree: Subtree, loop: EventLoop, logger: Logger) {
        self.program = program
        self.subtree = subtree
        self.loop = loop
        self.logger = logger
    }

    /// Starts a mother if there is none. With it the tasks' cgroup is known as it is now.
    func ensure() throws(LaunchFailure) {
        try state.withLock { (state) throws(LaunchFailure) in
            if state.isEnded { throw failure(ErrorNumber.cancelled) }
            if state.socket == nil { try start(&state) }
        }
    }

    /// Has a shim forked that gets `gate`, which stays the caller's. `full`: the mother is behind, try again.
    func fork(gate: Int32) throws(LaunchFailure) -> Outcome {
        try state.withLock { (state) throws(LaunchFailure) in
            for _ in 0..<2 {
                if state.isEnded { throw failure(ErrorNumber.cancelled) }
                if state.socket == nil { try start(&state) }
                let sent: Result<Int, SystemError>? = state.socket.borrowing { socket in
                    do throws(SystemError) {
                        return .success(try socket.send(GateReply.fork, descriptors: [gate]))
                    } catch {
                        return .failure(error)
                    }
                }
                switch sent {
                case .success?: return .sent
                // ETOOMANYREFS: descriptors in flight count against the limit of open files.
                case .failure(let error)?
                where [ErrorNumber.again, ErrorNumber.tooManyReferences].contains(error.errno):
                    return .full
                case .failure(let error)?
                where [ErrorNumber.brokenPipe, ErrorNumber.connectionReset].contains(error.errno):
                    state.socket = nil  // dead: once more with a new one
                case .failure(let error)?: throw failure(error.errno)
                case nil: break
                }
            }
            throw failure(ErrorNumber.brokenPipe)
        }
    }

    /// Gives this mother up; she leaves when she finds her socket closed. The next launch starts another.
    func abandon() { state.withLock { $0.socket = nil } }

    /// Closes the socket: the mother leaves, its shims stay. No other is started.
    func end() {
        let last = state.withLock { state in
            state.socket = nil
            state.isEnded = true
            return state.current
        }
        // Its status is taken here because the loop, which does so otherwise, may be gone. It leaves at once.
        guard let last, (try? last.handle.descriptor.waitUntilReadable(milliseconds: 200)) == true else { return }
        _ = try? last.handle.reap()
    }

    /// The mother's pid, for tests and diagnostics.
    var pid: Int32? { state.withLock { $0.socket == nil ? nil : $0.current?.handle.pid } }

    private func start(_ state: inout State) throws(LaunchFailure) {
        let pair = try makeSocket()
        let process: Process
        let shims = try subtree.openShims()
        do {
            process = Process(
                try ProcessHandle.spawn(
                    program: program, name: "faf-shim", argument: "--mother", socket: pair.second,
                    cgroup: shims.borrowing { $0.rawValue }))
        } catch {
            logger.error("faf-shim --mother could not be started", metadata: ["error": "\(error)"])
            throw failure(error.errno)
        }
        state.generation += 1
        let generation = state.generation
        state.current = process
        state.socket = pair.keepFirst()
        do {
            try loop.add(process.handle.descriptor.rawValue, [.readable, .once]) { [weak self] _ in
                _ = try? process.handle.reap()
                self?.died(generation, pid: process.handle.pid)
            }
        } catch {
            // Its death is found at the next launch, by EPIPE; only its status stays behind as a zombie.
            logger.warning("the mother's death will be noticed late", metadata: ["error": "\(error)"])
        }
        logger.debug("started faf-shim --mother", metadata: ["pid": "\(process.handle.pid)"])
    }

    private func makeSocket() throws(LaunchFailure) -> UnixSocket.Pair {
        do {
            let pair = try UnixSocket.pair(.packet)
            try pair.first.setNonblocking(true)
            return pair
        } catch {
            throw failure(error.errno)
        }
    }

    private func died(_ generation: UInt64, pid: Int32) {
        let wasExpected = state.withLock { state in
            if state.generation == generation {
                state.socket = nil
                state.current = nil
            }
            return state.isEnded
        }
        if !wasExpected {
            logger.notice("faf-shim --mother ended, the next launch starts another", metadata: ["pid": "\(pid)"])
        }
    }

    private func failure(_ errno: Int32) -> LaunchFailure {
        .step(motherStepName, errno: errno, isDelegated: subtree.isDelegated, isStopping: subtree.isStopping)
    }
}

extension Optional where Wrapped: ~Copyable {
    /// Looks at what is there without taking it.
    borrowing func borrowing<Result>(_ body: (borrowing Wrapped) -> Result) -> Result? {
        switch self {
        case .some(let wrapped): body(wrapped)
        case .none: nil
        }
    }
}
