import Testing

@testable import ShimLogic

struct StopSequenceTests {
    private func sequence(
        start: UInt64 = StopSequence.never, stop: UInt64 = 90, kills: Bool = true,
        mode: StopPolicy.Mode = .controlGroup, _ change: (inout StopPolicy) -> Void = { _ in }
    ) -> StopSequence {
        var policy = StopPolicy(mode: mode, timeoutStop: stop, sendsKill: kills)
        change(&policy)
        var sequence = StopSequence(policy, Clocks.Limits(needsReady: start != StopSequence.never, start: start))
        sequence.started(at: 1000)
        return sequence
    }

    private let termAll = StopSequence.Action.signal(15, .all, thenHangup: false)
    private let termMain = StopSequence.Action.signal(15, .main, thenHangup: false)

    @Test func `nothing happens by itself`() {
        var sequence = sequence()
        #expect(sequence.deadline == StopSequence.never)
        #expect(sequence.tick(at: .max - 1) == .nothing)
        #expect(sequence.stop == nil)
    }

    @Test func `a stop is the signal, then the kill`() {
        var sequence = sequence()
        #expect(sequence.requested(.kill, signal: 0, uid: 7, at: 2000) == termAll)
        #expect(sequence.stop?.cause == .kill && sequence.stop?.signal == 15 && sequence.stop?.uid == 7)
        #expect(sequence.deadline == 2090)
        #expect(sequence.tick(at: 2089) == .nothing)
        #expect(sequence.tick(at: 2090) == .kill(.all))
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
        ready.clocks.saysReady(at: 1040)
        #expect(ready.deadline == StopSequence.never && ready.tick(at: 2000) == .nothing)
        #expect(sequence.tick(at: 1050) == termAll)
        #expect(sequence.stop?.cause == .timeoutStart && sequence.deadline == 1140)
        sequence.clocks.saysReady(at: 1060)
        #expect(sequence.deadline == 1140, "too late")
    }

    @Test func `a request before the start has no start clock`() {
        var sequence = StopSequence(StopPolicy(timeoutStop: 90), Clocks.Limits(needsReady: true, start: 50))
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 990) == termAll)
        sequence.started(at: 1000)
        #expect(sequence.deadline == 1080)
    }

    @Test func `STOPPING=1 starts the clock without a signal`() {
        var sequence = sequence(start: 50)
        #expect(sequence.saysStopping(at: 1010) == .nothing)
        #expect(sequence.stop?.cause == .stopping && sequence.stop?.wasSignalled == false)
        #expect(sequence.deadline == 1100)
        #expect(sequence.tick(at: 1100) == .kill(.all))
    }

    @Test func `who kills after STOPPING=1 is the cause, and the clock stays`() {
        var sequence = sequence()
        _ = sequence.saysStopping(at: 1010)
        #expect(
            sequence.requested(.kill, signal: 2, uid: 9, at: 1090) == .signal(2, .all, thenHangup: false))
        #expect(sequence.stop?.cause == .kill && sequence.stop?.uid == 9 && sequence.stop?.signal == 2)
        #expect(sequence.deadline == 1100)
        #expect(sequence.requested(.shutdown, signal: 0, uid: 0, at: 1095) == .nothing)
        #expect(sequence.stop?.cause == .kill)
    }

    @Test func `leftovers are stopped by the same sequence`() {
        var sequence = sequence()
        #expect(sequence.mainEnded(leavesOthers: true, at: 2000) == termAll)
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
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == termAll)
        #expect(sequence.stop?.cause == .stopping && sequence.deadline == 2090)
    }

    @Test func `without SendSIGKILL nothing is killed`() {
        var sequence = sequence(kills: false)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 2000) == termAll)
        #expect(sequence.deadline == StopSequence.never && sequence.tick(at: .max - 1) == .nothing)
    }

    @Test func `mixed tells the main process and kills the rest when it has ended`() {
        var sequence = sequence(mode: .mixed)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 2000) == termMain)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .kill(.all))
    }

    @Test func `process spares what the main process leaves`() {
        var sequence = sequence(mode: .process)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 2000) == termMain)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .nothing)
        var stubborn = self.sequence(mode: .process)
        _ = stubborn.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(stubborn.tick(at: 2090) == .kill(.main))
    }

    @Test func `what process has left is stopped by who asks for it then`() {
        var sequence = sequence(mode: .process)
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        _ = sequence.mainEnded(leavesOthers: true, at: 2010)
        #expect(sequence.deadline == StopSequence.never, "its clock was for the main process")
        #expect(sequence.requested(.kill, signal: 0, uid: 7, at: 3000) == termAll)
        #expect(sequence.stop?.uid == 7 && sequence.deadline == 3090)
        #expect(sequence.requested(.kill, signal: 0, uid: 8, at: 3010) == .nothing)
        #expect(sequence.tick(at: 3090) == .kill(.all))
    }

    @Test func `none signals nobody`() {
        var sequence = sequence(mode: .none)
        #expect(sequence.requested(.kill, signal: 0, uid: 0, at: 2000) == .nothing)
        #expect(sequence.deadline == StopSequence.never)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .nothing)
    }

    // MARK: The signals of systemd.kill(5)

    @Test func `SIGHUP follows KillSignal= only`() {
        for (cause, signal) in [(StopSequence.Cause.kill, UInt32(15)), (.shutdown, 15), (.restart, 10)] {
            var sequence = sequence {
                $0.sendsHangup = true
                $0.restartSignal = 10
            }
            let expected = StopSequence.Action.signal(signal, .all, thenHangup: cause != .restart)
            #expect(sequence.requested(cause, signal: 0, uid: 0, at: 2000) == expected)
            #expect(sequence.stop?.signal == signal)
        }
        // MemoryAction=restart tells its signal, MemoryAction=kill does not.
        for (cause, signal) in [(StopSequence.Cause.memoryLimit, UInt32(15)), (.pressure, 10), (.cpuLimit, 0)] {
            var sequence = sequence { $0.sendsHangup = true }
            let expected = StopSequence.Action.signal(signal == 0 ? 15 : signal, .all, thenHangup: signal == 0)
            #expect(sequence.requested(cause, signal: signal, uid: 0, at: 2000) == expected)
        }
        var hangup = sequence {
            $0.sendsHangup = true
            $0.killSignal = 1
        }
        #expect(hangup.requested(.kill, signal: 0, uid: 0, at: 2000) == .signal(1, .all, thenHangup: false))
        var mixed = sequence(mode: .mixed) { $0.sendsHangup = true }
        #expect(mixed.requested(.kill, signal: 0, uid: 0, at: 2000) == .signal(15, .main, thenHangup: true))
    }

    @Test func `another final signal is followed by SIGKILL after as long again`() {
        var sequence = sequence { $0.finalSignal = 3 }
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(sequence.tick(at: 2090) == .signal(3, .all, thenHangup: false))
        #expect(sequence.stop?.final == .signalled && sequence.stop?.wasKilled == false && sequence.deadline == 2180)
        #expect(sequence.tick(at: 2179) == .nothing)
        #expect(sequence.tick(at: 2180) == .kill(.all))
        #expect(sequence.stop?.wasKilled == true && sequence.deadline == StopSequence.never)
    }

    @Test func `with mixed the rest gets the final signal once`() {
        var sequence = sequence(mode: .mixed) { $0.finalSignal = 3 }
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .signal(3, .all, thenHangup: false))
        #expect(sequence.deadline == 2100)
        var stubborn = self.sequence(mode: .mixed) { $0.finalSignal = 3 }
        _ = stubborn.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(stubborn.tick(at: 2090) == .signal(3, .all, thenHangup: false))
        #expect(stubborn.mainEnded(leavesOthers: true, at: 2095) == .nothing)
        #expect(stubborn.tick(at: 2180) == .kill(.all))
    }

    @Test func `with process the final signal is for the main process`() {
        var sequence = sequence(mode: .process) { $0.finalSignal = 3 }
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(sequence.tick(at: 2090) == .signal(3, .main, thenHangup: false))
        #expect(sequence.tick(at: 2180) == .kill(.main))
    }

    @Test func `without SendSIGKILL no final signal goes out`() {
        var sequence = sequence(kills: false, mode: .mixed) { $0.finalSignal = 3 }
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        #expect(sequence.tick(at: .max - 1) == .nothing)
        #expect(sequence.mainEnded(leavesOthers: true, at: 2010) == .nothing)
    }

    // MARK: Stops that the clocks begin

    @Test func `the watchdog has its own signal and its own grace`() {
        var sequence = StopSequence(
            StopPolicy(timeoutStop: 90, timeoutAbort: 500, watchdogSignal: 6, sendsHangup: true),
            Clocks.Limits(watchdog: 30))
        sequence.started(at: 1000)
        #expect(sequence.tick(at: 1029) == .nothing)
        #expect(sequence.tick(at: 1030) == .signal(6, .all, thenHangup: false))
        #expect(sequence.stop?.cause == .watchdog && sequence.stop?.signal == 6 && sequence.deadline == 1530)
        #expect(sequence.tick(at: 1530) == .kill(.all))
    }

    @Test func `WATCHDOG=trigger needs no WatchdogSec=, and comes to nothing in a stop`() {
        var sequence = sequence(start: 50)
        var stopping = sequence
        #expect(sequence.triggered(at: 1010) == .signal(6, .all, thenHangup: false))
        #expect(sequence.stop?.cause == .watchdog && sequence.stop?.begunAt == 1010)
        _ = stopping.requested(.kill, signal: 0, uid: 0, at: 1005)
        let before = stopping
        #expect(stopping.triggered(at: 1010) == .nothing && stopping == before)
    }

    @Test func `the running time ends with KillSignal=`() {
        var sequence = StopSequence(StopPolicy(timeoutStop: 90), Clocks.Limits(runtime: 30))
        sequence.started(at: 1000)
        #expect(sequence.deadline == 1030)
        #expect(sequence.tick(at: 1030) == termAll)
        #expect(sequence.stop?.cause == .runtime && sequence.deadline == 1120)
    }

    @Test(arguments: [StopPolicy.SilenceAction.stop, .kill, .carryOn])
    func `silence does what SilenceAction= says`(_ action: StopPolicy.SilenceAction) {
        var sequence = StopSequence(
            StopPolicy(timeoutStop: 90, silenceAction: action), Clocks.Limits(silence: 1_000_000))
        sequence.started(at: 1000)
        let end: UInt64 = 1_001_000
        #expect(sequence.tick(at: end - 1) == .nothing)
        switch action {
        case .stop:
            #expect(sequence.tick(at: end) == termAll)
            #expect(sequence.stop?.cause == .silence && sequence.deadline == end + 90)
        case .kill:
            #expect(sequence.tick(at: end) == .kill(.all))
            #expect(sequence.stop?.cause == .silence && sequence.stop?.wasKilled == true)
        case .carryOn:
            #expect(sequence.tick(at: end) == .nothing)
            #expect(sequence.stop == nil && sequence.clocks.silentSince == 1000)
            #expect(sequence.tick(at: end + 5) == .nothing)
            sequence.clocks.heard(at: end + 10)
            #expect(sequence.clocks.silentSince == nil)
            #expect(sequence.tick(at: end + 10 + 1_000_000) == .nothing && sequence.clocks.silentSince == end + 10)
        }
    }

    @Test func `what would be killed for its silence and must not be is stopped`() {
        var sequence = StopSequence(
            StopPolicy(timeoutStop: 90, sendsKill: false, silenceAction: .kill), Clocks.Limits(silence: 10))
        sequence.started(at: 1000)
        #expect(sequence.tick(at: 1010) == termAll)
    }

    @Test func `EXTEND_TIMEOUT_USEC= lengthens the grace, never shortens it, and has to come again`() {
        var sequence = sequence()
        _ = sequence.requested(.kill, signal: 0, uid: 0, at: 2000)
        sequence.extend(by: 20, at: 2010)
        #expect(sequence.deadline == 2090, "longer already")
        sequence.extend(by: 100, at: 2080)
        #expect(sequence.deadline == 2180)
        for value in [0, StopSequence.never] { sequence.extend(by: value, at: 2100) }
        #expect(sequence.deadline == 2180)
        #expect(sequence.tick(at: 2180) == .kill(.all))
        sequence.extend(by: 100, at: 2181)
        #expect(sequence.deadline == StopSequence.never, "killed is killed")
    }

    @Test func `no clock starts a second stop`() {
        var sequence = StopSequence(
            StopPolicy(timeoutStop: 90), Clocks.Limits(runtime: 30, watchdog: 40, silence: 50))
        sequence.started(at: 1000)
        _ = sequence.saysStopping(at: 1010)
        sequence.clocks.pinged(at: 1015)
        sequence.clocks.heard(at: 1015)
        #expect(sequence.deadline == 1100)
        #expect(sequence.tick(at: 1099) == .nothing)
        #expect(sequence.stop?.cause == .stopping)
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
                    machine.clocks.saysReady(at: now)
                    return .nothing
                },
            ]
            for event in events {
                var next = machine
                var nextSeen = seen
                let action = event(&next)
                if case .signal = action { nextSeen.signals += 1 }
                if case .kill = action { nextSeen.kills += 1 }
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
