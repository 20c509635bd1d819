import Lifecycle
import TaskModel
import Testing

/// Walks every state that any order of events can reach, kill -9 of the supervisor included, and holds each against what
/// must never happen.
@Suite struct RunMachineWalkTests {
    /// The machine in a world that keeps a row, answers each order once, and objects.
    private struct World: Hashable {
        var machine: RunMachine
        /// What is durable.
        var row: Run?
        var commit: Run?
        var change: RowChange = .insert
        var awaitsShim = false
        var hasShim = false
        var end: Run?
        var retriesEnd = false
        var waits: Set<Int> = []
        /// The latest attempt that got a go.
        var went: InvocationID?
        var isRefused = false
        /// The attempt that somebody wanted to be the last.
        var killedAt: Int?
        // What would go on for ever is tried this often.
        var storeFailures = 0
        var wishes = 0

        init(_ start: (RunMachine, [RunEffect]), row: Run?) {
            machine = start.0
            self.row = row
            obey(start.1)
        }

        /// Of what differs most: rows are long, and compared fast only where they share their storage.
        func hash(into hasher: inout Hasher) {
            hasher.combine(machine)
            hasher.combine(row?.attempts)
            hasher.combine(row?.state)
            hasher.combine(commit == nil)
            hasher.combine(end == nil)
            hasher.combine(awaitsShim)
            hasher.combine(hasShim)
            hasher.combine(retriesEnd)
            hasher.combine(waits)
            hasher.combine(went)
            hasher.combine(killedAt)
            hasher.combine(storeFailures)
            hasher.combine(wishes)
        }

        /// An id that nothing has now: the fewer there are, the sooner the walk ends.
        private var fresh: InvocationID {
            var used = Set([went, machine.invocation].compactMap { $0 })
            for run in [machine.run, row, commit, end] {
                for attempt in run?.attempts ?? [] { used.insert(attempt.invocation) }
            }
            var low: UInt64 = 9
            while used.contains(InvocationID(high: 9, low: low)) { low += 1 }
            return InvocationID(high: 9, low: low)
        }

        private mutating func obey(_ effects: [RunEffect]) {
            for effect in effects {
                switch effect {
                case .go:
                    #expect(hasShim && !isRefused)
                    #expect(row?.attempts.last?.invocation == machine.invocation, "a go without its row")
                    #expect(row?.state.isFinal == false)
                    #expect(machine.invocation != went, "the same attempt got two goes")
                    went = machine.invocation
                    hasShim = false
                case .commitAndPrepare(let run, let change):
                    #expect(commit == nil && !awaitsShim && end == nil)
                    #expect(run.attempts.last.map { $0.invocation != went } == true)
                    if let killedAt { #expect(run.attempts.last.map { $0.number <= killedAt } == true) }
                    (commit, self.change, awaitsShim) = (run, change, true)
                case .withhold: hasShim = false
                case .refuse(.store): if row == nil { isRefused = true }
                case .storeEnd(let run, _):
                    #expect(run.reason != nil && end == nil)
                    if run.state == .queued {
                        #expect(run.endedAt == nil && run.retry?.due != nil)
                    } else {
                        #expect(run.state.isFinal && run.endedAt != nil && run.retry?.due == nil)
                    }
                    end = run
                case .retryEnd: retriesEnd = true
                case .keepOutput(let run, let attempt):
                    #expect(row == run && run.attempts.last == attempt && attempt.state?.isFinal == true)
                case .awaitRetry(_, let number): waits.insert(number)
                case .refuse(.launch), .acknowledge, .expect, .watch, .request, .emptyCgroup, .setAside, .lookAgain,
                    .clean:
                    break
                }
            }
        }

        /// `false`: nothing that could happen now.
        mutating func happens(_ event: RunEvent) -> Bool {
            guard isPossible(event) else { return false }
            let wasOver = machine.isOver
            let effects = machine.handle(event, EventContext(now: noonHere, fresh: fresh, random: 0))
            if wasOver { #expect(effects.isEmpty, "\(event) after the end") }
            obey(effects)
            if machine.isStored, !machine.isOver {
                let isShownFinal = machine.presented(with: nil).state.isFinal
                #expect(isShownFinal == (row?.state.isFinal == true), "\(event)")
            }
            return true
        }

        private mutating func isPossible(_ event: RunEvent) -> Bool {
            switch event {
            case .committed:
                guard let commit else { return false }
                switch change {
                case .insert: #expect(row == nil)
                case .replace: #expect(row?.state.isFinal == false)
                case .reopen: #expect(row?.state.isFinal == true)
                }
                let numbers = commit.attempts.map(\.number)
                #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
                (row, self.commit) = (commit, nil)
            case .commitFailed:
                // A store may fail for ever; once shows all that comes of it.
                guard commit != nil, storeFailures < 1 else { return false }
                storeFailures += 1
                commit = nil
            case .prepared, .prepareFailed:
                guard awaitsShim else { return false }
                awaitsShim = false
                if case .prepared = event { hasShim = true }
            case .endStored:
                guard let end else { return false }
                #expect(row?.state.isFinal == false, "the first end counts")
                (row, self.end) = (end, nil)
            case .endRefused:
                guard end != nil, storeFailures < 1 else { return false }
                storeFailures += 1
                end = nil
            case .endRetryDue:
                guard retriesEnd else { return false }
                retriesEnd = false
            case .retryDue(let number):
                return waits.contains(number)
            case .retryRequested:
                wishes += 1
                return wishes < 2
            case .stopRequested(let request):
                if request.cause == .kill, killedAt == nil, !machine.isOver {
                    killedAt = machine.run.attempts.last?.number
                }
            case .found, .cgroupEmptied, .retryHeld: break
            }
            return true
        }

        /// The supervisor is killed and started again, if there is a run that is not over: what is not durable is gone, and so is a shim at its gate.
        mutating func crash() -> Bool {
            guard let row else { return false }
            // Either may have reached the disk or not; a commit that did is tried by `committed` first.
            (commit, awaitsShim, hasShim, end, retriesEnd, waits, killedAt) = (nil, false, false, nil, false, [], nil)
            guard !row.state.isFinal else { return false }
            machine = .adopt(row, boot: thisBoot)
            if let awaited = machine.awaited { waits = [awaited.after] }
            return true
        }
    }

    private let kill = StopRequest(cause: .kill, uid: 2001)
    private let signal = StopRequest(cause: .signal, signal: 10, uid: 2001)

    private let noCgroup = LaunchRefusal(step: "cgroup", errno: 13, message: "EACCES", remedy: "look")
    private let down = LaunchRefusal(
        step: "cgroup", errno: 2, message: "down", remedy: "start", isTasksUnitDown: true)
    private let full = StoreRefusal(message: "full", remedy: "free some")

    /// All that can happen to one attempt.
    private var ofAnAttempt: [RunEvent] {
        var events: [RunEvent] = [
            .committed, .commitFailed(full), .prepared(shimPID: 5), .prepareFailed(noCgroup), .found(.nothing),
            .found(.damaged("crc")), .found(.newer("2.0")), .cgroupEmptied, .stopRequested(kill), .endStored,
            .endRefused("full"), .endRetryDue, found(.emptied, held: false, isEnd: true),
            found(.started, held: false, boot: otherBoot),
        ]
        for phase in [AttemptObservation.Phase.gate, .passed, .started, .exited, .emptied] {
            events += [found(phase, held: true), found(phase, held: false)]
        }
        return events
    }

    private var ofSeveral: [RunEvent] {
        ofAnAttempt + [
            .prepareFailed(down), .stopRequested(signal), .retryRequested, .retryHeld(down),
            found(.emptied, held: false, exit: .exited(code: 1)),
        ] + (0...3).map { .retryDue(after: $0) }
    }

    private func worlds(_ mode: RetrySettings.Mode) -> [World] {
        var run = sampleRun()
        run.settings.retry.mode = mode
        run.settings.retry.limit = 2
        var over = run
        over.state = .failed
        over.reason = Reason(.exitCode, "exit status 1")
        over.endedAt = noon
        return [
            World(RunMachine.fire(run, boot: thisBoot), row: nil),
            World((RunMachine.adopt(run, boot: thisBoot), []), row: run),
            World(RunMachine.reopen(over, script: over.script, boot: thisBoot, fresh: freshID), row: over),
        ]
    }

    @Test func `no order of events breaks a promise to a run with one attempt`() {
        var open = worlds(.no)
        var seen = Set(open)
        while let world = open.popLast(), seen.count <= 10_000 {
            for event in ofAnAttempt {
                var next = world
                if next.happens(event), seen.insert(next).inserted { open.append(next) }
            }
        }
        #expect(seen.count > 1000)
        #expect(seen.count <= 10_000, "the walk did not end")
    }

    /// A row keeps how each attempt has ended, so that there are too many states to see all of them.
    @Test func `no order of events, and no crash, breaks a promise to a run that is tried again`() {
        var generator = Numbers(state: 4711)
        let events = ofSeveral
        var attempts = 0
        for _ in 0..<100 {
            for var world in worlds(.always) {
                for _ in 0..<200 {
                    if generator.next() % 50 == 0, !world.crash() { break }
                    if let event = events.randomElement(using: &generator) { _ = world.happens(event) }
                }
                attempts = max(attempts, world.row?.attempts.count ?? 0)
            }
        }
        #expect(attempts >= 3)
    }

    /// The same order each time (splitmix64).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
