import Lifecycle
import TaskModel
import Testing

@Suite struct VerdictTests {
    private func judge(
        _ exit: ProcessExit?, kind: TaskSettings.Kind = .simple, success: TaskSettings.ExitStatuses = .init(),
        _ change: (inout AttemptObservation) -> Void = { _ in }
    ) -> (RunState, Reason.Kind) {
        var seen = observation(.emptied, held: false)
        seen.exit = exit
        change(&seen)
        var settings = sampleRun(kind: kind).settings
        settings.successExitStatus = success
        let verdict = Verdict.judge(seen, settings: settings)
        #expect(!verdict.reason.text.isEmpty)
        return (verdict.state, verdict.reason.kind)
    }

    @Test func `output that could not be opened is named with what to do`() {
        var seen = observation(.emptied, held: false)
        seen.exit = .notStarted(step: "stdout", errno: 111)
        var settings = sampleRun(kind: .simple).settings
        settings.standardOutput = .journal
        #expect(Verdict.judge(seen, settings: settings).reason.text.contains("systemd-journald"))
        settings.standardOutput = .append("/srv/log")
        #expect(Verdict.judge(seen, settings: settings).reason.text.contains("StandardOutput= names /srv/log"))
    }

    @Test func `only exit code 0 succeeds by itself`() {
        #expect(judge(.exited(code: 0)) == (.succeeded, .success))
        #expect(judge(.exited(code: 1)) == (.failed, .exitCode))
        #expect(judge(.signaled(signal: 15, coreDumped: false)) == (.failed, .signal))
        #expect(judge(.signaled(signal: 11, coreDumped: true)) == (.failed, .coreDump))
    }

    @Test func `SuccessExitStatus adds codes and signals`() {
        var success = TaskSettings.ExitStatuses()
        success.codes = [75]
        success.signals = [15]
        #expect(judge(.exited(code: 75), success: success) == (.succeeded, .success))
        #expect(judge(.signaled(signal: 15, coreDumped: false), success: success) == (.succeeded, .success))
    }

    @Test func `an unknown end is never made up`() {
        #expect(judge(nil) == (.lost, .lost))
        #expect(judge(.unknown) == (.lost, .lost))
    }

    @Test func `a step before the script is named`() {
        #expect(judge(.notStarted(step: "chdir", errno: 13)) == (.failed, .exec))
    }

    @Test func `notify without READY is a protocol failure`() {
        #expect(judge(.exited(code: 0), kind: .notify) == (.failed, .protocol))
        #expect(judge(.exited(code: 0), kind: .notify) { $0.isReady = true } == (.succeeded, .success))
        #expect(judge(.exited(code: 2), kind: .notify) == (.failed, .exitCode))
    }

    @Test func `a stop decides over the exit status`() {
        let causes: [(StopRequest.Cause, RunState, Reason.Kind)] = [
            (.kill, .killed, .signal), (.shutdown, .killed, .shutdown), (.timeoutStart, .timedOut, .timeout),
            (.leftovers, .succeeded, .success), (.stopping, .succeeded, .success),
            (.runtime, .timedOut, .timeout), (.watchdog, .timedOut, .watchdog), (.silence, .timedOut, .silence),
            (.restart, .killed, .signal),
        ]
        for (cause, state, kind) in causes {
            #expect(judge(.exited(code: 0)) { $0.stop = StopRequest(cause: cause, uid: 0) } == (state, kind))
        }
    }

    @Test func `who was to be killed at once did not fail to stop`() {
        var seen = observation(.emptied, held: false)
        seen.exit = .signaled(signal: 9, coreDumped: false)
        seen.stop = StopRequest(cause: .silence, uid: 0)
        seen.wasKilled = true
        var settings = sampleRun().settings
        #expect(Verdict.judge(seen, settings: settings).reason.text.contains("did not stop in time"))
        settings.silenceAction = .kill
        #expect(!Verdict.judge(seen, settings: settings).reason.text.contains("did not stop in time"))
    }

    @Test func `STOPPING that does not stop is a timeout`() {
        let verdict = judge(.signaled(signal: 9, coreDumped: false)) {
            $0.stop = StopRequest(cause: .stopping, uid: 2001)
            $0.wasKilled = true
        }
        #expect(verdict == (.timedOut, .timeout))
    }

    private func outOfMemory(
        _ exit: ProcessExit, own: UInt64? = 1, kills: UInt64 = 1, max: UInt64? = 48 << 20,
        policy: ResourceSettings.OOMPolicy? = nil, _ change: (inout AttemptObservation) -> Void = { _ in }
    ) -> (state: RunState, reason: Reason) {
        var seen = observation(.emptied, held: false)
        seen.exit = exit
        seen.usage = Usage(
            userMicroseconds: 0, systemMicroseconds: 0, maxResidentBytes: 0, memoryPeakBytes: 50_000_000)
        var counters = CgroupCounters()
        counters.oomKills = kills
        counters.ownOutOfMemory = own
        counters.memoryMaxBytes = max
        seen.usage?.counters = counters
        change(&seen)
        var settings = sampleRun().settings
        settings.resources.oomPolicy = policy
        return Verdict.judge(seen, settings: settings)
    }

    private let killed = ProcessExit.signaled(signal: 9, coreDumped: false)

    @Test func `the OOM killer is told apart from other kills by its counters`() {
        #expect(outOfMemory(killed).reason.kind == .oomKill)
        #expect(outOfMemory(killed, kills: 0).reason.kind == .signal)
        #expect(outOfMemory(killed, policy: .continue).reason.kind == .oomKill)
        #expect(outOfMemory(.exited(code: 0), policy: .continue).state == .succeeded)
        #expect(outOfMemory(.exited(code: 3), policy: .continue).reason.kind == .exitCode)
        // As systemd has it: an attempt that lost a process is no success, whatever its script makes of it.
        #expect(outOfMemory(.exited(code: 0)).reason.kind == .oomKill)
        #expect(outOfMemory(.exited(code: 0), policy: .kill).reason.kind == .oomKill)
        let stopped = outOfMemory(.signaled(signal: 15, coreDumped: false), kills: 0) {
            $0.stop = StopRequest(cause: .outOfMemory, uid: 0)
        }
        #expect(stopped.reason.kind == .oomKill && stopped.state == .failed)
    }

    @Test func `whoever stopped it first is named, not the OOM killer`() {
        let verdict = outOfMemory(killed) { $0.stop = StopRequest(cause: .kill, uid: 2001) }
        #expect(verdict.state == .killed && verdict.reason.kind == .signal)
        let signal = StopRequest(cause: .signal, signal: 9, uid: 2001)
        #expect(outOfMemory(killed, policy: .continue) { $0.lastSignal = signal }.reason.kind == .signal)
    }

    @Test func `its own limit is blamed only if the kernel says so`() {
        let killer = "the kernel killed one of its processes"
        #expect(
            outOfMemory(killed).reason.text
                == killer + " because it had reached its own limit (MemoryMax=48.0 MiB, peak 47.6 MiB)")
        #expect(
            outOfMemory(killed, own: 0).reason.text
                == killer
                + " because memory ran out around it, not by its own limit (MemoryMax=48.0 MiB, peak 47.6 MiB)")
        #expect(
            outOfMemory(killed, own: 0, max: nil).reason.text
                == killer + " because memory ran out around it; it has no MemoryMax= (peak 47.6 MiB)")
        #expect(
            outOfMemory(killed, own: nil, kills: 3).reason.text
                == "the kernel killed 3 of its processes for lack of memory (MemoryMax=48.0 MiB, peak 47.6 MiB)")
    }

    @Test func `a single signal counts only if the process died of it`() {
        let request = StopRequest(cause: .signal, signal: 10, uid: 2001)
        #expect(judge(.signaled(signal: 10, coreDumped: false)) { $0.lastSignal = request } == (.killed, .signal))
        #expect(judge(.exited(code: 0)) { $0.lastSignal = request } == (.succeeded, .success))
        #expect(judge(.signaled(signal: 11, coreDumped: false)) { $0.lastSignal = request } == (.failed, .signal))
    }
}
