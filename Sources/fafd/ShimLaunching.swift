import Launcher
import Lifecycle
import LinuxSystem
import Logging
import Supervisor
import TaskHost
import TaskModel
import TaskUnits

/// Joins the supervisor to the launcher: a run becomes arguments, environment and a launch.
struct ShimLaunching: Launching {
    /// Larger ones are no environment (execve takes 128 KiB per string at most).
    private static let environmentFileLimit = 1 << 20

    let launcher: Launcher
    let directories: Directories
    let environment: [String: String]
    let log: Logger

    func prepare(_ run: Run, _ attempt: Attempt) async throws(LaunchRefusal) -> any PreparedShim {
        if attempt.number == 1, run.settings.environmentFiles.isEmpty, run.settings.sandbox == Sandbox() {
            return try await prepareHere(run, attempt)
        }
        // Files of others are looked at, and they may take their time.
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            () async throws(LaunchRefusal) in try await prepareElsewhere(run, attempt)
        }
    }

    @concurrent
    private func prepareElsewhere(
        _ run: Run, _ attempt: Attempt
    ) async throws(LaunchRefusal) -> any PreparedShim {
        try await prepareHere(run, attempt)
    }

    private func prepareHere(_ run: Run, _ attempt: Attempt) async throws(LaunchRefusal) -> any PreparedShim {
        var run = run
        if attempt.number > 1 { run.script = try checkAgain(run) }
        let files = try environmentFiles(run)
        let environment = ProcessEnvironment.build(
            run: run, attempt: attempt, directories: directories, socketPath: directories.socket,
            passed: self.environment, files: files)
        var launch = Launch(
            run: run, attempt: attempt, arguments: ProcessArguments.build(run: run, environment: environment),
            environment: environment, origin: try RunCoding.encode(run))
        launch.credentialStores = credentialStores
        do {
            return Gate(prepared: try await launcher.prepare(launch))
        } catch {
            throw error.refusal
        }
    }

    func refusal() -> LaunchRefusal? { launcher.refusal()?.refusal }

    private func checkAgain(_ run: Run) throws(LaunchRefusal) -> CheckedScript {
        do { return try HostScript.checkAgain(run.script, run.settings) } catch {
            throw LaunchRefusal(
                step: "script-check", errno: 0, message: "\(error.path): \(error.message)", remedy: error.remedy)
        }
    }

    /// Where systemd looks (systemd.exec(5), LoadCredential=): what fafd was given itself comes first.
    private var credentialStores: [String] {
        [environment["CREDENTIALS_DIRECTORY"]].compactMap(\.self)
            + ["/etc/credstore", "/run/credstore", "/usr/lib/credstore"]
    }

    /// Read at each launch, with the run's rights: the files are named by the unit but belong to others.
    private func environmentFiles(_ run: Run) throws(LaunchRefusal) -> [[(name: String, value: String)]] {
        var files: [[(name: String, value: String)]] = []
        for file in run.settings.environmentFiles {
            let bytes: [UInt8]
            do {
                bytes = try UserFile.read(
                    file.path, uid: run.identity.uid, gid: run.identity.gid, groups: run.identity.groups,
                    limit: Self.environmentFileLimit)
            } catch {
                if file.isOptional, error.errno == ErrorNumber.notFound { continue }
                throw LaunchRefusal(
                    step: "environment-file", errno: error.errno, message: "EnvironmentFile=\(file.path): \(error)",
                    remedy: "make it a file that uid \(run.identity.uid) may read, or write - before its path")
            }
            do { files.append(try Value.environmentFile(bytes)) } catch {
                throw LaunchRefusal(
                    step: "environment-file", errno: 0, message: "EnvironmentFile=\(file.path): \(error.message)",
                    remedy: error.remedy)
            }
        }
        return files
    }

    func names() throws(LaunchRefusal) -> [InvocationID] {
        do { return try launcher.found() } catch {
            throw LaunchRefusal(step: "record", errno: 0, message: "\(error)", remedy: "look at \(directories.records)")
        }
    }

    func find(_ id: InvocationID) -> Finding {
        switch launcher.observe(id, withOrigin: false) {
        case .nothing: .nothing
        case .observation(let observation, _, let isEnd): .observation(withRetryAfter(observation), isEnd: isEnd)
        case .damaged(let text): .damaged(text)
        case .unreadable(let text): .unreadable(text)
        case .newer(let text): .newer(text)
        }
    }

    /// What a task asks for is read as a unit's time spans are; what makes no sense is as if it had not been said.
    private func withRetryAfter(_ observation: AttemptObservation) -> AttemptObservation {
        guard let text = observation.retryAfterText, case .microseconds(let delay)? = try? Value.timeSpan(text) else {
            return observation
        }
        var observation = observation
        observation.retryAfter = delay
        return observation
    }

    func origin(_ id: InvocationID) -> Run? {
        guard case .observation(_, let origin, _) = launcher.observe(id) else { return nil }
        return RunCoding.decode(origin)
    }

    func watch(_ id: InvocationID) -> Bool { launcher.watch(id) }

    func expect(_ id: InvocationID) { launcher.expect(id) }

    func hearWords(_ wanted: Bool) { launcher.hearWords(wanted) }

    func meter(_ id: InvocationID) -> (any Metering)? { launcher.meter(id).map { Meter(meter: $0) } }

    func request(_ id: InvocationID, _ stop: StopRequest) -> Bool {
        do {
            try launcher.request(id, stop)
            return true
        } catch {
            log.debug("attempt \(id): no stop request: \(error)")
            return false
        }
    }

    func empty(_ id: InvocationID, run: RunID, attempt: Int) async -> Bool {
        await launcher.empty(run, attempt: attempt, cgroup: launcher.cgroup(of: id))
    }

    func removeStrays() {
        launcher.cleanStrayCgroups(keeping: [])
        launcher.cleanStrayTemporaries()
    }

    func clean(_ id: InvocationID, run: RunID, attempt: Int) {
        launcher.clean(id, run: run, attempt: attempt, cgroup: nil)
    }

    func setAside(_ id: InvocationID) -> String? { launcher.setAside(id) }

    /// Pulls: what waits stays in the launcher's queue.
    var events: AsyncStream<[AttemptEvent]> {
        AsyncStream { [launcher] in
            await launcher.nextEvents()?.map { event in
                switch event {
                case .changed(let id): .changed(id)
                case .shimGone(let id): .shimGone(id)
                case .overflow: .overflow
                }
            }
        }
    }
}

private struct Meter: Metering {
    let meter: AttemptMeter

    var machineMemory: UInt64 { Machine.physicalMemory }
    func measure(_ what: Set<ConditionSettings.Quantity>) -> Measurement { meter.measure(what) }
}

private struct Gate: PreparedShim {
    let prepared: PreparedAttempt

    var shimPID: Int32 { prepared.shimPID }

    func go() -> Bool {
        do {
            try prepared.go()
            return true
        } catch {
            return false
        }
    }

    func withhold() { prepared.withhold() }
}

extension LaunchFailure {
    fileprivate var refusal: LaunchRefusal {
        LaunchRefusal(
            step: step, errno: errno, message: message, remedy: remedy, isTasksUnitDown: isTasksUnitDown)
    }
}
