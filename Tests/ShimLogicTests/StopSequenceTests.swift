import Testing

@testable import ShimLogic

struct StopSequenceTests {
    private func sequence(
        start: UInt64 = StopSequence.never, stop: UInt64 = 90, kills: Bool = true,
        mode: StopSequence.Mode = .controlGroup
    ) -> StopSequence {
        var sequence = StopSequence(
            timeoutStart: start, timeoutStop: stop, killSignal: 15, sendsKill: kills, mode: mode)
        sequence.started(at: 1000)
        return sequence
    }

    @Test func `nothing happens by itself`() {
        var sequence = sequence()
        #expect(sequence.deadline == StopSequence.never)
        #expect(sequence.tick(at: .max - 1) == .nothing)
        #expect(sequence.stop == nil)
    }

    @Test func `a stop is the signal, then the kill`() {
        var sequence = sequence()
        #expect(sequence.requested(.kill, signal: 0, uid: 7, at: 2000) == .signalAll)
        #expect(sequence.stop?.cause == .kill && sequence.stop?.signal == 15 && sequence.stop?.uid == 7)
        #expect(sequence.deadline == 2090)
        #expect(sequence.tick(at: 2089) == .nothing)
        #expect(sequence.tick(at: 2090) == .killAll)
        #expect(sequence.stop?.wasKilled == true)
        #expect(sequence.deadline == StopSequence.never)
        #expect(sequence.tick(at: 3000) == .nothing)
    }

    @Test func `a second request does not restart the grace period`() {
        var sequence = sequence()
        _ = sequence.requested(.kill, signal: 0, uid: 1, at: 2000)
        let before = sequence
        #expect(sequence.requested(.kill, signal: 9, uid: 2, at: 2050) == .nothing)
        #expect(sequence.requested(.shutdown, signal: 0, uid: 0, at: 2060) == .nothing)
        #expect(sequence.saysStopping(at: 2070) == .nothing)
        #expect(sequence == before)
    }

    @Test func `the start has its own clock until READY=1`() {
        var sequence = sequence(start: 50)
        #expect(sequence.deadline == 1050)
        #expect(sequence.tick(at: 1049) == .nothing)
        var ready = sequence
        ready.saysReady()
        #expect(ready.deadline == StopSequence.never && ready.tick(at: 2000) == .nothing)
        #expect(sequence.tick(at: 1050) == .signalAll)
        #expect(sequence.stop?.cause == .timeoutStart && sequence.deadline == 1140)
        sequence.saysReady()
        #expect(sequence.deadline == 1140, "too late")
    }

    @Test func `a request before the start has no start clock`() {
        var sequence = StopSequence(
            timeoutStart: 50, timeoutStop: 90, killSignal: 15, sendsKill: true, mode: .controlGroup)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 990) == .signalAll)
        sequence.started(at: 1000)
        #expect(sequence.deadline == 1080)
    }

    @Test func `STOPPING=1 starts the clock without a signal`() {
        var sequence = sequence(start: 50)
        #expect(sequence.saysStopping(at: 1010) == .nothing)
        #expect(sequence.stop?.cause == .stopping && sequence.stop?.wasSignalled == false)
        #expect(sequence.deadline == 1100)
        #expect(sequence.tick(at: 1100) == .killAll)
    }

    @Test func `who kills after STOPPING=1 is the cause, and the clock stays`() {
        var sequence = sequence()
        _ = sequence.saysStopping(at: 1010)
        #expect(sequence.requested(.kill, signal: 2, uid: 9, at: 1090) == .signalAll)
        #expect(sequence.stop?.cause == .kill && sequence.stop?.uid == 9 && sequence.stop?.signal == 2)
        #expect(sequence.deadline == 1100)
        #expect(sequence.requested(.shutdown, signal: 0, uid: 0, at: 1095) == .nothing)
        #expect(sequence.stop?.cause == .kill)
    }

    @Test func `leftovers are stopped by the same sequence`() {
        var sequence = sequence()
        #expect(sequence.mainEnded(leavesOthers: true, at: 2000) == .signalAll)
        #expect(sequence.stop?.cause == .leftovers && sequence.deadline == 2090)
        #expect(sequence.requested(.kill, signal: 0, uid: 1, at: 2010) == .nothing)
        #expect(sequence.stop?.cause == .leftovers)
    }

    @Test func `without leftovers nothing follows the main process's end`() {
        var sequence = sequence(start: 50)
        #expect(sequence.mainEnded(leavesOthers: false, at: 1010) == .nothing)
        #expect(sequence.stop == nil && sequence.deadline == StopSequence.never)
    }

    @Test func `leftovers in a running stop are not signalled twice`() {
        var sequence = sequence()
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .nothing)
        #expect(sequence.deadline == 2090)
    }

    @Test func `leftovers after STOPPING=1 get the signal and the clock that runs`() {
        var sequence = sequence()
        _ = sequence.saysStopping(at: 2000)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .signalAll)
        #expect(sequence.stop?.cause == .stopping && sequence.deadline == 2090)
    }

    @Test func `without SendSIGKILL nothing is killed`() {
        var sequence = sequence(kills: false)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 2000) == .signalAll)
        #expect(sequence.deadline == StopSequence.never && sequence.tick(at: .max - 1) == .nothing)
    }

    @Test func `mixed tells the main process and kills the rest when it has ended`() {
        var sequence = sequence(mode: .mixed)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 2000) == .signalMain)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .killAll)
    }

    @Test func `process spares what the main process leaves`() {
        var sequence = sequence(mode: .process)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 2000) == .signalMain)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .nothing)
        var stubborn = self.sequence(mode: .process)
        _ = stubborn.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(stubborn.tick(at: 2090) == .killMain)
    }

    @Test func `what process has left is stopped by who asks for it then`() {
        var sequence = sequence(mode: .process)
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        _ = sequence.mainEnded(leavesOthers: true, at: 2010)
        #expect(sequence.deadline == StopSequence.never, "its clock was for the main process")
        #expect(sequence.requested(.kill, signal: 0, uid: 7, at: 3000) == .signalAll)
        #expect(sequence.stop?.uid == 7 && sequence.deadline == 3090)
        #expect(sequence.requested(.kill, signal: 0, uid: 8, at: 3010) == .nothing)
        #expect(sequence.tick(at: 3090) == .killAll)
    }

    @Test func `none signals nobody`() {
        var sequence = sequence(mode: .none)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 2000) == .nothing)
        #expect(sequence.deadline == StopSequence.never)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .nothing)
    }

    @Test func `infinite and huge times never come`() {
        var sequence = sequence(stop: StopSequence.never)
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(sequence.deadline == StopSequence.never)
        var huge = self.sequence(start: .max - 10, stop: .max - 10)
        #expect(huge.deadline == StopSequence.never && huge.tick(at: 5000) == .nothing)
    }

    /// Walks every reachable state by copying the machine.
    @Test func `in every order of events there is one sequence, at most one signal and one kill`() {
        struct Seen { var signals = 0, kills = 0 }
        func walk(_ machine: StopSequence, _ seen: Seen, _ now: UInt64, _ depth: Int) {
            if depth == 0 { return }
            let events: [(inout StopSequence) -> StopSequence.Action] = [
                { $0.requested(.kill, signal: 0, uid: 1, at: now) },
                { $0.requested(.shutdown, signal: 9, uid: 0, at: now) },
                { $0.saysStopping(at: now) }, { $0.tick(at: now) }, { $0.tick(at: now + 200) },
                { $0.mainEnded(leavesOthers: true, at: now) }, { $0.mainEnded(leavesOthers: false, at: now) },
                { machine in
                    machine.saysReady()
                    return .nothing
                },
            ]
            for event in events {
                var next = machine
                var nextSeen = seen
                let action = event(&next)
                if action == .signalAll { nextSeen.signals += 1 }
                if action == .killAll { nextSeen.kills += 1 }
                #expect(nextSeen.signals <= 1 && nextSeen.kills <= 1)
                #expect(nextSeen.kills == 0 || next.stop?.wasKilled == true)
                if let before = machine.stop, let after = next.stop {
                    #expect(before.deadline == after.deadline && before.begunAt == after.begunAt)
                    #expect(before.cause == after.cause || before.cause == .stopping)
                }
                #expect(machine.stop == nil || next.stop != nil)
                walk(next, nextSeen, now + 10, depth - 1)
            }
        }
        walk(sequence(start: 50), Seen(), 1010, 5)
    }
}
