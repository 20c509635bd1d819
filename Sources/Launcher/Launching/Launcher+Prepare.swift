internal import LinuxSystem
internal import Logging
internal import ShimProtocol
internal import Synchronization
internal import TaskModel

extension Launcher {
    /// How long a shim may take to make its record and answer.
    static let readyTimeout: Int64 = 30_000_000

    /// Why nothing can be launched now; `nil`: it may be tried.
    public func refusal() -> LaunchFailure? { subtree.refusal() }

    /// Has a shim made ready for this attempt; it waits at its gate. Nothing of the script has run when this returns or
    /// throws. Cancellation withholds the go.
    public func prepare(_ launch: Launch) async throws(LaunchFailure) -> PreparedAttempt {
        try subtree.look()
        try mothers.ensure()
        let sandbox = try self.sandbox(launch)
        let specification: [UInt8]
        let cgroup: String?
        let limits = try kernelLimits(launch.run.settings)
        do {
            var plain = try self.specification(launch, limits)
            plain.sandbox = sandbox
            cgroup = plain.cgroup
            specification = try plain.encoded()
        } catch {
            throw LaunchFailure(
                step: "specification", errno: ErrorNumber.invalid, message: "the attempt cannot be launched: \(error)",
                remedy: "correct the unit or the parameters")
        }
        let name = "\(launch.run.id).\(launch.attempt.number)"
        launched.insert(
            name,
            LaunchedNames.Attempt(
                id: launch.attempt.invocation, cgroup: cgroup,
                hasTemporaries: launch.run.settings.sandbox.privateTmp != .no))
        let deadline = Clocks.boottime + Launcher.readyTimeout
        do throws(LaunchFailure) {
            if let prepared = try await prepareOnce(specification, limits, deadline: deadline) { return prepared }
            // The mother died with this launch in her hands. Her shim, if there was one, never got its go.
            removeIfNeverRan(launch.attempt.invocation)
            if let prepared = try await prepareOnce(specification, limits, deadline: deadline) { return prepared }
            throw failure(motherStepName, ErrorNumber.brokenPipe)
        } catch {
            launched.remove(name, launch.attempt.invocation)
            throw error
        }
    }

    /// `nil`: the gate's other end went away without an answer.
    private func prepareOnce(
        _ specification: [UInt8], _ limits: KernelLimits.Files, deadline: Int64
    ) async throws(LaunchFailure) -> PreparedAttempt? {
        let gate = try await hand(specification, deadline: deadline)
        switch await waitForReply(gate.rawValue, deadline: deadline) {
        case .ready: break
        case .timedOut:
            // Stopped, or stuck in the kernel: the next launch gets another. What this one still forks finds its gate closed.
            mothers.abandon()
            throw failure(motherStepName, ErrorNumber.timedOut)
        case .stopped: throw failure(motherStepName, ErrorNumber.cancelled)
        }
        let bytes: [UInt8]
        do { bytes = try gate.receive(maximum: 64).bytes } catch {
            if error.errno == ErrorNumber.connectionReset { return nil }  // it went with the specification unread
            throw failure(motherStepName, error.errno)
        }
        if bytes.isEmpty { return nil }
        switch GateReply(bytes) {
        case .ready(let pid)?:
            return PreparedAttempt(shimPID: pid, gate: gate, isDelegated: subtree.isDelegated)
        case .failed(_, let errno, item: let item?)? where limits.files.indices.contains(item):
            throw .refusedLimit(limits.files[item], errno: errno)
        case .failed(let step, let errno, _)?: throw failure(step, errno)
        case nil: throw failure("specification", ErrorNumber.protocol)
        }
    }

    /// Gives the mother one end of a gate in which the specification waits already; returns the other.
    private func hand(_ specification: [UInt8], deadline: Int64) async throws(LaunchFailure) -> OwnedDescriptor {
        let pair = try makeGate()
        do {
            if specification.count <= LaunchSpecification.inlineLimit {
                try pair.first.send(specification)
            } else {
                let memory = try OwnedDescriptor.sealedMemory(specification, name: "faf-launch")
                let header = Array(specification.prefix(LaunchSpecification.headerLength))
                try pair.first.send(header, descriptors: [memory.rawValue])
            }
        } catch {
            throw failure(motherStepName, error.errno)
        }
        while try mothers.fork(gate: pair.second.rawValue) == .full {
            if Clocks.boottime >= deadline { throw failure(motherStepName, ErrorNumber.timedOut) }
            do { try await Task.sleep(for: .milliseconds(1)) } catch {
                throw failure(motherStepName, ErrorNumber.cancelled)
            }
        }
        return pair.keepFirst()
    }

    private func makeGate() throws(LaunchFailure) -> UnixSocket.Pair {
        do throws(SystemError) {
            let pair = try UnixSocket.pair(.packet)
            // A run that goes on costs a descriptor. They are given out from below; without the last ones nobody could
            // look at what goes on, or stop it.
            let limit = try OwnProcess.openFilesLimit().soft
            if UInt64(pair.second.rawValue) >= limit - min(limit, max(8, min(64, limit / 8))) {
                throw SystemError(call: "socketpair", errno: ErrorNumber.tooManyOpen)
            }
            try pair.first.setNonblocking(true)
            return pair
        } catch {
            throw failure(motherStepName, error.errno)
        }
    }

    private func waitForReply(_ gate: Int32, deadline: Int64) async -> EventLoop.Wake {
        let token = Mutex<UInt64?>(nil)
        let waiter = Waiter()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiter.set(continuation)
                do {
                    let added = try loop.add(gate, [.readable, .once], deadline: deadline) { waiter.resume($0) }
                    token.withLock { $0 = added }
                    if Task.isCancelled, loop.remove(added) { waiter.resume(.stopped) }
                } catch {
                    waiter.resume(.stopped)
                }
            }
        } onCancel: {
            // Whoever removes the entry answers: the loop, or this.
            if let added = token.withLock({ $0 }), loop.remove(added) { waiter.resume(.stopped) }
        }
    }

    func failure(_ step: String, _ errno: Int32) -> LaunchFailure {
        .step(step, errno: errno, isDelegated: subtree.isDelegated, isStopping: subtree.isStopping)
    }

    /// Removes a record that never passed its gate and that nobody holds.
    private func removeIfNeverRan(_ id: InvocationID) {
        guard case .record(let record, .nobody) = files.readRecord(id), record.observation.phase == .gate else {
            return
        }
        _ = try? Files.remove(files.record(id))
        _ = try? Files.remove(files.notifySocket(id))
    }

    private func specification(
        _ launch: Launch, _ limits: KernelLimits.Files
    ) throws(SystemError) -> LaunchSpecification {
        let run = launch.run
        let settings = run.settings
        let invocation = launch.attempt.invocation
        var specification = LaunchSpecification(
            run: run.id, attempt: launch.attempt.number, invocation: invocation, boot: boot, script: run.script,
            arguments: launch.arguments, uid: run.identity.uid, gid: run.identity.gid,
            recordsDirectory: directories.records, endsDirectory: directories.ends)
        specification.allowedDirectories = settings.allowedDirectories
        specification.environment = launch.environment
        switch settings.workingDirectory {
        case .root: break
        case .home(let isOptional):
            specification.workingDirectory = run.identity.home
            specification.workingDirectoryIsOptional = isOptional
        case .path(let path, let isOptional):
            specification.workingDirectory = path
            specification.workingDirectoryIsOptional = isOptional
        }
        specification.groups = run.identity.groups
        specification.changesUser = changesUser
        specification.umask = settings.umask
        specification.nice = settings.nice
        specification.limits = try self.limits(settings)
        specification.cgroupLimits = limits.files.map { .init(file: $0.file, value: $0.value) }
        specification.stopsOutOfMemory = limits.stops
        specification.noNewPrivileges = settings.noNewPrivileges
        specification.kind = settings.kind
        specification.notifyAccess = settings.notifyAccess
        specification.killMode = settings.killMode
        specification.killSignal = settings.killSignal
        specification.sendSIGKILL = settings.sendSIGKILL
        specification.timeoutStart = settings.timeoutStart
        specification.timeoutStop = settings.timeoutStop
        specification.times = times(settings)
        specification.signals.final = settings.finalKillSignal ?? specification.signals.final
        specification.signals.watchdog = settings.watchdogSignal ?? specification.signals.watchdog
        specification.signals.restart = settings.restartKillSignal
        specification.signals.sendSIGHUP = settings.sendSIGHUP ?? false
        specification.notifyPath = settings.notifyAccess == .none ? nil : files.notifySocket(invocation)
        specification.cgroup = subtree.path(run: run.id, attempt: launch.attempt.number)
        specification.diesWithShim = specification.cgroup == nil
        specification.ioDirectory = directories.inputAndResult(of: run.id, attempt: launch.attempt.number)
        if settings.standardOutput == nil { specification.standardOutput = directories.log(of: run.id) }
        if settings.standardOutput != nil || settings.standardError != nil {
            specification.streams = LaunchSpecification.Streams(
                output: settings.standardOutput ?? .inherit, errors: settings.standardError ?? .inherit,
                journal: directories.journalStream, identifier: run.journalIdentifier,
                mark: OutputSource(run: run.id, attempt: launch.attempt.number, invocation: invocation).mark,
                levelPrefix: settings.syslogLevelPrefix ?? true)
            if changesUser { specification.streams?.unit = Directories.journalUnit }
        }
        specification.origin = launch.origin
        return specification
    }

    private func times(_ settings: TaskSettings) -> LaunchSpecification.Times {
        var times = LaunchSpecification.Times()
        times.runtimeMax = settings.runtimeMax ?? times.runtimeMax
        times.runtimeRandomizedExtra = settings.runtimeRandomizedExtra ?? times.runtimeRandomizedExtra
        times.watchdog = settings.watchdog ?? times.watchdog
        times.silence = settings.silence ?? times.silence
        times.silenceAction = settings.silenceAction ?? times.silenceAction
        times.timeoutAbort = settings.timeoutAbort
        return times
    }

    /// The unit's limits, and for open files the system's usual soft limit instead of the one that fafd needs itself
    /// (threat-model D5).
    private func limits(_ settings: TaskSettings) throws(SystemError) -> [TaskSettings.ResourceLimit] {
        let openFiles: UInt32 = 7  // RLIMIT_NOFILE
        if settings.limits.contains(where: { $0.resource == openFiles }) { return settings.limits }
        let own = try OwnProcess.openFilesLimit()
        return settings.limits + [.init(resource: openFiles, soft: min(1024, own.hard), hard: own.hard)]
    }
}

/// A continuation that is resumed once, by whoever comes first.
private final class Waiter: Sendable {
    private let continuation = Mutex<CheckedContinuation<EventLoop.Wake, Never>?>(nil)

    func set(_ new: CheckedContinuation<EventLoop.Wake, Never>) { continuation.withLock { $0 = new } }

    func resume(_ wake: EventLoop.Wake) {
        let taken = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        taken?.resume(returning: wake)
    }
}
