import TaskModel
import Testing

@testable import Lifecycle

@Suite struct RunMachineRetryTests {
    private let first = InvocationID(high: 7, low: 7)
    private let kill = StopRequest(cause: .kill, uid: 2001)
    private let full = StoreRefusal(message: "full", remedy: "free some")
    private let down = LaunchRefusal(
        step: "cgroup", errno: 2, message: "the unit is down", remedy: "start it", isTasksUnitDown: true)

    private func run(limit: UInt32? = 3, _ mode: RetrySettings.Mode = .onFailure) -> Run {
        var run = sampleRun()
        run.settings.retry.mode = mode
        run.settings.retry.limit = limit
        return run
    }

    /// A machine whose first attempt runs.
    private func started(_ run: Run) -> RunMachine {
        var (machine, _) = RunMachine.fire(run, boot: thisBoot)
        goOn(&machine)
        return machine
    }

    private func goOn(_ machine: inout RunMachine) {
        _ = machine.handle(.committed)
        _ = machine.handle(.prepared(shimPID: 5))
        _ = machine.handle(found(.started, held: true))
    }

    /// A machine that waits for its second attempt.
    private func waiting(_ run: Run) -> RunMachine {
        var machine = started(run)
        _ = machine.handle(failed)
        _ = machine.handle(.endStored)
        return machine
    }

    private let failed = found(.emptied, held: false, exit: .exited(code: 3))

    @Test func `an attempt's end and the wait for the next are one row`() throws {
        var machine = started(run())
        let row = try #require(machine.handle(failed).storedEnd)
        #expect(row.state == .queued)
        #expect(row.endedAt == nil)
        #expect(row.attempts.map(\.state) == [.failed])
        #expect(row.attempts[0].reason?.text == "exit status 3")
        #expect(row.reason?.text == "exit status 3; retry 1 of 3")
        #expect(row.retry?.due == noonHere.advanced(by: 100_000))
        #expect(machine.presented(with: nil).state == .stopping, "told before it is durable")
        let due = noonHere.advanced(by: 100_000)
        let kept = RunEffect.keepOutput(row, row.attempts[0])
        #expect(machine.handle(.endStored) == [kept, .clean(first, attempt: 1), .awaitRetry(due, after: 1)])
        #expect(machine.presented(with: nil).state == .queued)
        #expect(machine.invocation == nil)
    }

    @Test func `an attempt knows where its output begins, also when it is launched anew`() throws {
        var machine = started(run())
        #expect(machine.run.attempts[0].outputStart == nil)
        _ = machine.handle(failed)
        _ = machine.handle(.endStored)
        var context = EventContext(
            now: noonHere.advanced(by: 100_000), fresh: InvocationID(high: 20, low: 20), random: 0)
        context.outputEnd = 17
        _ = machine.handle(.retryDue(after: 1), context)
        _ = machine.handle(.committed)
        _ = machine.handle(.prepared(shimPID: 5))
        _ = machine.handle(.found(.nothing))
        let row = try #require(machine.run.attempts.last)
        #expect(row.invocation == freshID && row.number == 2 && row.outputStart == 17)
    }

    @Test func `the last lines of an attempt are kept once, not again when its retry is cancelled`() {
        var machine = started(run())
        _ = machine.handle(failed)
        _ = machine.handle(.endStored)
        _ = machine.handle(.stopRequested(kill))
        #expect(machine.handle(.endStored) == [.clean(first, attempt: 1)])
    }

    @Test func `an end sets off what follows on it, and what somebody has asked for does not`() throws {
        func events(_ finding: RunEvent, after change: (inout RunMachine) -> Void = { _ in }) -> [RunTrigger.Event] {
            var machine = started(run(limit: 1))
            change(&machine)
            for case .storeEnd(_, let events) in machine.handle(finding) { return events }
            return []
        }
        #expect(events(failed) == [.onAttemptFailure])
        #expect(events(found(.emptied, held: false, exit: .exited(code: 0))) == [.onSuccess])
        let last: (inout RunMachine) -> Void = { machine in
            _ = machine.handle(self.failed)
            _ = machine.handle(.endStored)
            _ = machine.handle(.retryDue(after: 1))
            self.goOn(&machine)
        }
        #expect(events(failed, after: last) == [.onAttemptFailure, .onFailure])
        #expect(events(failed) { _ = $0.handle(.stopRequested(self.kill)) } == [])
        // Nobody stopped it in time.
        let success = found(.emptied, held: false, exit: .exited(code: 0))
        #expect(events(success) { _ = $0.handle(.stopRequested(self.kill)) } == [.onSuccess])
    }

    @Test(arguments: [true, false])
    func `a wish for the next attempt that is refused leaves the wait as it was`(isFull: Bool) throws {
        var run = run()
        run.settings.retry.delay = 3_600_000_000
        var machine = waiting(run)
        let before = machine.run
        #expect(machine.handle(.retryRequested).count == 1)
        _ = machine.handle(isFull ? .prepared(shimPID: 6) : .prepareFailed(down))
        let effects = machine.handle(isFull ? .commitFailed(full) : .committed)
        if !isFull { _ = machine.handle(.endStored) }
        #expect(machine.run.retry == before.retry)
        #expect(machine.run.attempts == before.attempts)
        #expect(machine.awaited?.due == noonHere.advanced(by: 3_600_000_000))
        #expect(effects.contains { if case .refuse = $0 { true } else { false } })
    }

    @Test func `a run that is over and cannot be launched again is as it was`() throws {
        var over = run()
        (over.state, over.reason) = (.succeeded, Reason(.success, "exit status 0"))
        (over.status, over.endedAt) = ("18 of 30", noon)
        over.attempts[0].state = .succeeded
        var (machine, _) = RunMachine.reopen(over, script: over.script, boot: thisBoot, fresh: freshID)
        _ = machine.handle(.committed)
        #expect(machine.handle(.prepareFailed(down)) == [.storeEnd(over, [])])
        #expect(machine.handle(.endStored).first == .refuse(.launch(down)))
        #expect(machine.run == over && machine.isOver)
    }

    @Test func `a signal that came too late for an attempt is not sent to the next`() {
        var machine = waiting(run())
        _ = machine.handle(.retryDue(after: 1))
        #expect(machine.handle(.stopRequested(StopRequest(cause: .signal, signal: 15, uid: 2001))).isEmpty)
        _ = machine.handle(.committed)
        _ = machine.handle(.prepareFailed(LaunchRefusal(step: "x", errno: 2, message: "x", remedy: "x")))
        _ = machine.handle(.endStored)
        _ = machine.handle(.retryDue(after: 2))
        _ = machine.handle(.committed)
        let effects = machine.handle(.prepared(shimPID: 7))
        #expect(effects.first == .go)
        #expect(!effects.contains { if case .request = $0 { true } else { false } })
    }

    @Test func `a cancelled wait is one until that is stored`() {
        var machine = waiting(run())
        _ = machine.handle(.stopRequested(kill))
        #expect(machine.isBetweenAttempts && !machine.isWaiting)
        _ = machine.handle(.endStored)
        #expect(!machine.isBetweenAttempts)
    }

    @Test func `what follows is the same when the end is stored once more, and nothing follows on a cancelled wait`() {
        var machine = started(run())
        let effects = machine.handle(failed)
        #expect(machine.handle(.endRefused("full")).count == 1)
        #expect(machine.handle(.endRetryDue) == effects)
        _ = machine.handle(.endStored)
        for case .storeEnd(_, let events) in machine.handle(.stopRequested(kill)) { #expect(events == []) }
        #expect(machine.run.state == .cancelled)
    }

    @Test func `the delay counts from the end of the attempt, however late that is read`() throws {
        var machine = started(run())
        var seen = observation(.emptied, held: false, exit: .exited(code: 3))
        seen.endedAtBoottime = noonHere.boottime - 60_000_000
        let row = try #require(machine.handle(.found(.observation(seen, isEnd: true))).storedEnd)
        #expect(row.retry?.due?.boottime == noonHere.boottime - 60_000_000 + 100_000)
    }

    @Test func `the next attempt is launched when it is due, once`() throws {
        var machine = waiting(run())
        #expect(machine.handle(.retryDue(after: 0)).isEmpty)
        let effects = machine.handle(.retryDue(after: 1))
        #expect(effects == [.commitAndPrepare(machine.run, .replace)])
        #expect(machine.run.state == .starting)
        #expect(machine.run.attempts.map(\.number) == [1, 2])
        #expect(machine.run.retry?.used == 1)
        #expect(machine.handle(.retryDue(after: 1)).isEmpty)
        _ = machine.handle(.committed)
        #expect(machine.handle(.prepared(shimPID: 6)) == [.go, .acknowledge, .expect(freshID)])
    }

    @Test func `what the last attempt said of itself does not hold for the next`() {
        var machine = started(run())
        var seen = observation(.emptied, held: false, exit: .exited(code: 3))
        (seen.status, seen.progress, seen.resultText) = ("18 of 30", Progress(done: 18, total: 30), "none")
        _ = machine.handle(.found(.observation(seen, isEnd: true)))
        _ = machine.handle(.endStored)
        #expect(machine.presented(with: nil).status == "18 of 30")
        _ = machine.handle(.retryDue(after: 1))
        let shown = machine.presented(with: nil)
        #expect(shown.status == nil && shown.progress == nil && shown.resultText == nil)
    }

    @Test func `after the last retry the run is over, and says why`() throws {
        var machine = waiting(run(limit: 1))
        _ = machine.handle(.retryDue(after: 1))
        goOn(&machine)
        let row = try #require(machine.handle(failed).storedEnd)
        #expect(row.state == .failed)
        #expect(row.reason?.text == "exit status 3; gave up: RetryLimit=1 is reached")
        #expect(row.attempts.map(\.state) == [.failed, .failed])
        #expect(row.retry?.due == nil)
    }

    @Test func `a run that waits is over when somebody wants it to end`() throws {
        var machine = waiting(run())
        #expect(machine.handle(.stopRequested(StopRequest(cause: .signal, signal: 10, uid: 0))).isEmpty)
        let row = try #require(machine.handle(.stopRequested(kill)).storedEnd)
        #expect(row.state == .cancelled)
        #expect(row.reason?.kind == .cancelled)
        #expect(row.attempts.map(\.state) == [.failed], "its attempt ended as it did")
        #expect(machine.presented(with: nil).state == .queued, "told before it is durable")
        #expect(machine.handle(.retryDue(after: 1)).isEmpty)
        _ = machine.handle(.endStored)
        #expect(machine.presented(with: nil).state == .cancelled)
        #expect(machine.isOver)
    }

    @Test func `a kill that comes while the end is stored is not forgotten`() {
        var machine = started(run())
        _ = machine.handle(failed)
        #expect(machine.handle(.stopRequested(kill)).isEmpty)
        #expect(machine.handle(.endStored).storedEnd?.state == .cancelled)
    }

    @Test func `a kill that came too late for the script still ends the run`() {
        var machine = started(run())
        _ = machine.handle(.stopRequested(kill))
        #expect(machine.handle(failed).storedEnd?.state == .failed)
    }

    @Test func `a signal alone leaves it to the unit`() {
        var machine = started(run())
        _ = machine.handle(.stopRequested(StopRequest(cause: .signal, signal: 9, uid: 0)))
        let died = found(.emptied, held: false, exit: .signaled(signal: 9, coreDumped: false))
        #expect(machine.handle(died).storedEnd?.state == .queued)
    }

    @Test func `a lost attempt is tried again once its cgroup is empty`() {
        var machine = started(run(.onAbnormal))
        #expect(machine.handle(found(.started, held: false)) == [.emptyCgroup(first, attempt: 1)])
        let row = machine.handle(.cgroupEmptied).storedEnd
        #expect(row?.state == .queued)
        #expect(row?.attempts.last?.reason?.kind == .lost)
    }

    @Test func `a run that another boot has lost is tried again`() {
        var machine = RunMachine.adopt(run(.onAbnormal), boot: otherBoot)
        let row = machine.handle(.found(.nothing)).storedEnd
        #expect(row?.state == .queued)
        #expect(row?.attempts.last?.reason?.kind == .reboot)
    }

    @Test func `a damaged record is never tried again`() {
        var machine = RunMachine.adopt(run(.always), boot: thisBoot)
        _ = machine.handle(.found(.damaged("crc")))
        #expect(machine.handle(.cgroupEmptied).storedEnd?.state == .lost)
    }

    @Test func `a fire that is refused is not tried again`() {
        var (machine, _) = RunMachine.fire(run(.always), boot: thisBoot)
        _ = machine.handle(.committed)
        let refusal = LaunchRefusal(step: "mother", errno: 12, message: "ENOMEM", remedy: "free some")
        let row = machine.handle(.prepareFailed(refusal)).storedEnd
        #expect(row?.state == .failed)
        #expect(machine.handle(.endStored).contains(.refuse(.launch(refusal))))
    }

    @Test func `a retry that cannot be launched counts as one`() {
        for (step, errno, kind) in [("mother", 12, Reason.Kind.resources), ("script-check", 2, .exec)] {
            var machine = waiting(run(limit: 2))
            _ = machine.handle(.retryDue(after: 1))
            _ = machine.handle(.committed)
            let refusal = LaunchRefusal(step: step, errno: Int32(errno), message: "no", remedy: "look")
            let row = machine.handle(.prepareFailed(refusal)).storedEnd
            #expect(row?.state == .queued)
            #expect(row?.attempts.last?.reason?.kind == kind)
            #expect(row?.retry?.used == 2)
        }
    }

    @Test func `while the tasks' unit is down a retry goes back to the queue and costs nothing`() throws {
        var machine = waiting(run(limit: 1))
        _ = machine.handle(.retryDue(after: 1))
        _ = machine.handle(.committed)
        let row = try #require(machine.handle(.prepareFailed(down)).storedEnd)
        #expect(row.state == .queued)
        #expect(row.attempts.map(\.number) == [1])
        #expect(row.retry?.used == 1)
        #expect(row.reason?.text == "the unit is down")
        let due = noonHere.advanced(by: 5_000_000)
        #expect(machine.handle(.endStored) == [.clean(freshID, attempt: 2), .awaitRetry(due, after: 1)])
        _ = machine.handle(.retryHeld(down))
        #expect(machine.presented(with: nil).reason?.text == "the unit is down")
        #expect(machine.handle(.retryDue(after: 1)) == [.commitAndPrepare(machine.run, .replace)])
    }

    @Test func `a run that never ran waits for the tasks' unit`() throws {
        var machine = RunMachine.adopt(run(), boot: thisBoot)
        _ = machine.handle(.found(.nothing))
        _ = machine.handle(.committed)
        let row = try #require(machine.handle(.prepareFailed(down)).storedEnd)
        #expect(row.state == .queued && row.attempts.isEmpty)
        _ = machine.handle(.endStored)
        _ = machine.handle(.retryDue(after: 0))
        #expect(machine.run.attempts.map(\.number) == [1])
    }

    @Test func `a retry whose row is not stored waits on`() {
        for isPrepared in [true, false] {
            var machine = waiting(run())
            _ = machine.handle(.retryDue(after: 1))
            if isPrepared { _ = machine.handle(.prepared(shimPID: 6)) }
            var effects = machine.handle(.commitFailed(full))
            if !isPrepared { effects += machine.handle(.prepared(shimPID: 6)) }
            #expect(effects.contains(.withhold))
            #expect(effects.contains(.awaitRetry(noonHere.advanced(by: 5_000_000), after: 1)))
            #expect(machine.presented(with: nil).state == .queued)
            #expect(machine.run.attempts.map(\.number) == [1])
        }
    }

    @Test func `somebody who wants the retry now gets it, and the count begins anew`() {
        var machine = waiting(run(limit: 1))
        #expect(machine.handle(.retryRequested) == [.commitAndPrepare(machine.run, .replace)])
        goOn(&machine)
        #expect(machine.handle(failed).storedEnd?.reason?.text == "exit status 3; retry 1 of 1")
    }

    @Test func `a final run begins again as a fire does`() throws {
        var over = run()
        (over.state, over.reason, over.endedAt) = (.failed, Reason(.exitCode, "exit status 3"), noon)
        over.attempts[0].state = .failed
        over.retry = RetryState()
        over.retry?.used = 3
        var (machine, effects) = RunMachine.reopen(over, script: over.script, boot: thisBoot, fresh: freshID)
        #expect(effects == [.commitAndPrepare(machine.run, .reopen(from: over))])
        #expect(machine.run.retry == nil && machine.run.endedAt == nil && machine.run.state == .starting)
        #expect(!machine.isStored)
        _ = machine.handle(.prepared(shimPID: 5))
        effects = machine.handle(.committed)
        #expect(effects == [.go, .acknowledge, .expect(freshID)])
        (machine, _) = RunMachine.reopen(over, script: over.script, boot: thisBoot, fresh: freshID)
        _ = machine.handle(.prepared(shimPID: 5))
        #expect(machine.handle(.commitFailed(full)) == [.withhold, .refuse(.store(full))])
        #expect(machine.isOver)
    }

    @Test func `a row that waits is adopted as such`() {
        var machine = RunMachine.adopt(waiting(run()).run, boot: thisBoot)
        #expect(machine.awaited?.due == noonHere.advanced(by: 100_000))
        #expect(machine.awaited?.after == 1)
        #expect(!machine.isUnadopted)
        #expect(machine.handle(.retryDue(after: 1)) == [.commitAndPrepare(machine.run, .replace)])
    }

    @Test func `a run that is tried again without end keeps its latest attempts`() {
        var machine = waiting(run(limit: nil))
        for number in 1...(RunMachine.attemptLimit + 50) {
            _ = machine.handle(.retryDue(after: number))
            goOn(&machine)
            _ = machine.handle(failed)
            _ = machine.handle(.endStored)
        }
        #expect(machine.run.attempts.count == RunMachine.attemptLimit)
        #expect(machine.run.attempts.last?.number == RunMachine.attemptLimit + 51)
    }
}
