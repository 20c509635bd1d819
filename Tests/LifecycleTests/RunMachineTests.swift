import Lifecycle
import TaskModel
import Testing

@Suite struct RunMachineTests {
    private let invocation = InvocationID(high: 7, low: 7)
    private let kill = StopRequest(cause: .kill, uid: 2001)
    private let full = StoreRefusal(message: "full", remedy: "free some")
    private let noCgroup = LaunchRefusal(step: "cgroup", errno: 13, message: "cgroup: EACCES", remedy: "look")

    @Test(arguments: [true, false]) func `the go is given when row and shim are both there`(commitFirst: Bool) {
        var (machine, effects) = RunMachine.fire(sampleRun(), boot: thisBoot)
        #expect(effects == [.commitAndPrepare(sampleRun(), .insert)])
        let events: [RunEvent] =
            commitFirst ? [.committed, .prepared(shimPID: 5)] : [.prepared(shimPID: 5), .committed]
        #expect(machine.handle(events[0]).isEmpty)
        effects = machine.handle(events[1])
        #expect(effects == [.go, .acknowledge, .expect(invocation)])
    }

    @Test func `a run that goes on after its go is watched, one that is over by the first look is not`() {
        for phase in [AttemptObservation.Phase.gate, .passed, .started, .exited] {
            var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
            _ = machine.handle(.committed)
            _ = machine.handle(.prepared(shimPID: 5))
            #expect(machine.handle(found(phase, held: true)) == [.watch(invocation)])
            #expect(machine.handle(found(phase, held: true)).isEmpty)
        }
        var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
        _ = machine.handle(.committed)
        _ = machine.handle(.prepared(shimPID: 5))
        let effects = machine.handle(found(.emptied, held: true, exit: .exited(code: 0)))
        #expect(effects.count == 1)
        #expect(effects.storedEnd?.state == .succeeded)
        #expect(!machine.wantsLook)
    }

    @Test func `a run whose row is not stored never runs`() {
        var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
        #expect(machine.handle(.prepared(shimPID: 5)).isEmpty)
        #expect(machine.handle(.commitFailed(full)) == [.withhold, .refuse(.store(full))])
        #expect(machine.isOver)
    }

    @Test func `a shim that comes after the refusal is sent away`() {
        var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
        #expect(machine.handle(.commitFailed(full)) == [.refuse(.store(full))])
        #expect(!machine.isOver)
        #expect(machine.handle(.prepared(shimPID: 5)) == [.withhold])
        #expect(machine.isOver)
    }

    @Test func `a launch that fails is refused once its row has ended as failed`() {
        var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
        #expect(machine.handle(.prepareFailed(noCgroup)).isEmpty)
        let effects = machine.handle(.committed)
        #expect(effects.count == 1)
        #expect(effects.storedEnd?.state == .failed)
        #expect(effects.storedEnd?.reason?.kind == .exec)
        // Refused now, the row would be launched by a supervisor that starts before the end is stored.
        #expect(machine.handle(.endRefused("full")) == [.retryEnd(after: .seconds(5))])
        _ = machine.handle(.endRetryDue)
        #expect(machine.handle(.endStored) == [.refuse(.launch(noCgroup)), .clean(invocation, attempt: 1)])
        #expect(machine.isOver)
    }

    @Test func `a record that cannot be looked at changes nothing`() {
        var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
        _ = machine.handle(.committed)
        _ = machine.handle(.prepared(shimPID: 5))
        for phase in [AttemptObservation.Phase.gate, .started, .exited] {
            _ = machine.handle(found(phase, held: true))
            let before = machine
            #expect(
                machine.handle(.found(.unreadable("EMFILE"))) == [.lookAgain(invocation, after: .seconds(1))])
            #expect(machine == before)
        }
    }

    @Test func `a launch anew whose row is not stored sends its late shim away and is tried again`() {
        var machine = RunMachine.adopt(sampleRun(), boot: thisBoot)
        _ = machine.handle(.found(.nothing))
        #expect(machine.handle(.stopRequested(kill)).isEmpty)
        #expect(machine.handle(.commitFailed(full)).isEmpty)
        #expect(machine.isStored && !machine.isLaunching)
        #expect(machine.handle(.prepared(shimPID: 5)) == [.withhold, .lookAgain(freshID, after: .seconds(5))])
        _ = machine.handle(.found(.nothing))
        _ = machine.handle(.committed)
        let effects = machine.handle(.prepared(shimPID: 6))
        let newest = InvocationID(high: 9, low: 10)
        #expect(effects == [.go, .request(newest, kill), .expect(newest)])
    }

    @Test func `a stop that comes before anybody could look is handed over then`() {
        var machine = RunMachine.adopt(sampleRun(), boot: thisBoot)
        _ = machine.handle(.found(.unreadable("EMFILE")))
        #expect(machine.handle(.stopRequested(kill)).isEmpty)
        #expect(machine.handle(found(.started, held: true)) == [.watch(invocation), .request(invocation, kill)])
    }

    @Test func `a stop that comes before the shim is handed over after the go`() {
        var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
        #expect(machine.handle(.stopRequested(kill)).isEmpty)
        _ = machine.handle(.committed)
        let effects = machine.handle(.prepared(shimPID: 5))
        #expect(effects == [.go, .acknowledge, .request(invocation, kill), .expect(invocation)])
    }

    @Test func `a shim that dies at the gate is replaced, but not forever`() {
        var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
        for _ in 1...2 {
            _ = machine.handle(.committed)
            _ = machine.handle(.prepared(shimPID: 5))
            #expect(
                machine.handle(.found(.nothing)).contains { if case .commitAndPrepare = $0 { true } else { false } })
        }
        _ = machine.handle(.committed)
        _ = machine.handle(.prepared(shimPID: 5))
        let end = machine.handle(.found(.nothing)).storedEnd
        #expect(end?.state == .failed)
        #expect(end?.reason?.kind == .resources)
    }

    @Test func `an end that cannot be stored is tried again, and is not shown before`() {
        var (machine, _) = RunMachine.fire(sampleRun(), boot: thisBoot)
        _ = machine.handle(.committed)
        _ = machine.handle(.prepared(shimPID: 5))
        _ = machine.handle(found(.started, held: true))
        #expect(machine.handle(found(.emptied, held: false)).storedEnd?.state == .succeeded)
        #expect(machine.presented(with: nil).state == .stopping)
        #expect(machine.presented(with: nil).endedAt == nil)
        guard case .retryEnd? = machine.handle(.endRefused("full")).first else {
            Issue.record("no retry")
            return
        }
        #expect(machine.handle(.endRetryDue).storedEnd?.state == .succeeded)
        let effects = machine.handle(.endStored)
        #expect(effects == [.keepOutput(machine.run, machine.run.attempts[0]), .clean(invocation, attempt: 1)])
        #expect(machine.presented(with: nil).state == .succeeded)
    }

    @Test func `fine states come from the record`() {
        var (machine, _) = RunMachine.fire(sampleRun(kind: .notify), boot: thisBoot)
        _ = machine.handle(.committed)
        _ = machine.handle(.prepared(shimPID: 5))
        var seen = observation(.started, held: true)
        #expect(machine.presented(with: seen).state == .starting)
        seen.isReady = true
        seen.status = "18 of 30"
        seen.progress = Progress(done: 18, total: 30)
        #expect(machine.presented(with: seen).state == .running)
        #expect(machine.presented(with: seen).status == "18 of 30")
        seen.saysStopping = true
        #expect(machine.presented(with: seen).state == .stopping)
        #expect(machine.presented(with: observation(.exited, held: true)).state == .stopping)
    }
}
