import Lifecycle
import TaskModel
import Testing

/// The design's start-up table: row, record and lock decide what happens to a run when the supervisor starts.
@Suite struct StartUpTableTests {
    private let invocation = InvocationID(high: 7, low: 7)

    private func adopt(_ event: RunEvent, boot: BootID = thisBoot) -> (RunMachine, [RunEffect]) {
        var machine = RunMachine.adopt(sampleRun(boot: boot), boot: thisBoot)
        let effects = machine.handle(event)
        return (machine, effects)
    }

    @Test func `another boot without a durable end is lost to the reboot`() {
        for event in [RunEvent.found(.nothing), found(.started, held: false, boot: otherBoot)] {
            let (_, effects) = adopt(event, boot: otherBoot)
            #expect(effects.count == 1)
            #expect(effects.storedEnd?.state == .lost)
            #expect(effects.storedEnd?.reason?.kind == .reboot)
        }
    }

    @Test func `another boot with a durable end ends as it says`() {
        let (_, effects) = adopt(
            found(.emptied, held: false, boot: otherBoot, exit: .exited(code: 3), isEnd: true), boot: otherBoot)
        #expect(effects.storedEnd?.state == .failed)
        #expect(effects.storedEnd?.attempts.last?.exit == .exited(code: 3))
    }

    @Test func `a shim at its gate is waited for`() {
        let (machine, effects) = adopt(found(.gate, held: true))
        #expect(effects == [.watch(invocation)])
        #expect(machine.presented(with: nil).state == .starting)
    }

    @Test func `a run that never ran is launched under a new invocation id`() {
        for event in [RunEvent.found(.nothing), found(.gate, held: false)] {
            let (machine, effects) = adopt(event)
            #expect(machine.run.attempts.last?.invocation == freshID)
            #expect(effects == [.clean(invocation, attempt: 1), .commitAndPrepare(machine.run, .replace)])
        }
    }

    @Test func `a living attempt is watched`() {
        for phase in [AttemptObservation.Phase.passed, .started, .exited] {
            let (_, effects) = adopt(found(phase, held: true))
            #expect(effects == [.watch(invocation)])
        }
    }

    @Test func `a dead shim without an end is lost, after its cgroup is empty`() {
        for phase in [AttemptObservation.Phase.passed, .started] {
            var (machine, effects) = adopt(found(phase, held: false))
            #expect(effects == [.emptyCgroup(invocation, attempt: 1)])
            #expect(!machine.presented(with: nil).state.isFinal)
            effects = machine.handle(.cgroupEmptied)
            #expect(effects.storedEnd?.state == .lost)
            #expect(effects.storedEnd?.attempts.last?.exit == nil)
        }
    }

    @Test func `a dead shim that recorded the exit keeps the recorded status`() {
        var (machine, effects) = adopt(found(.exited, held: false, exit: .exited(code: 5)))
        #expect(effects == [.emptyCgroup(invocation, attempt: 1)])
        effects = machine.handle(.cgroupEmptied)
        #expect(effects.storedEnd?.state == .failed)
        #expect(effects.storedEnd?.attempts.last?.exit == .exited(code: 5))
    }

    @Test(arguments: [true, false]) func `an end is committed, then its traces go`(isEnd: Bool) {
        var (machine, effects) = adopt(found(.emptied, held: false, isEnd: isEnd))
        #expect(effects.storedEnd?.state == .succeeded)
        effects = machine.handle(.endStored)
        #expect(
            effects == [.keepOutput(machine.run, machine.run.attempts[0]), .clean(invocation, attempt: 1)])
        #expect(machine.isOver)
    }

    @Test func `a damaged record is set aside, and its run is lost and never launched`() {
        var (machine, effects) = adopt(.found(.damaged("head")))
        #expect(
            effects == [.setAside(invocation, why: "head"), .emptyCgroup(invocation, attempt: 1)])
        effects = machine.handle(.cgroupEmptied)
        #expect(effects.storedEnd?.state == .lost)
    }

    @Test func `a newer record is shown, killable and never deleted`() {
        var (machine, effects) = adopt(.found(.newer("2.0")))
        #expect(effects.isEmpty)
        #expect(machine.presented(with: nil).state == .running)
        effects = machine.handle(.stopRequested(StopRequest(cause: .kill, uid: 0)))
        #expect(effects == [.emptyCgroup(invocation, attempt: 1)])
        #expect(machine.handle(.cgroupEmptied).isEmpty)
    }

    @Test func `records without an active row`() {
        let gone = Finding.observation(observation(.gate, held: false), isEnd: false)
        let waiting = Finding.observation(observation(.gate, held: true), isEnd: false)
        let ran = Finding.observation(observation(.started, held: true), isEnd: false)
        #expect(OrphanDecision.decide(gone, endIsStored: nil) == .delete)
        #expect(OrphanDecision.decide(waiting, endIsStored: nil) == .wait)
        #expect(OrphanDecision.decide(ran, endIsStored: nil) == .restore)
        #expect(OrphanDecision.decide(ran, endIsStored: true) == .delete)
        #expect(OrphanDecision.decide(.damaged("crc"), endIsStored: nil) == .setAside("crc"))
        #expect(OrphanDecision.decide(.newer("2.0"), endIsStored: nil) == .keep)
        #expect(OrphanDecision.decide(.unreadable("EMFILE"), endIsStored: nil) == .lookAgain("EMFILE"))
    }
}
