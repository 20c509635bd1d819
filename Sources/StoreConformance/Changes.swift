import Store
import TaskModel
import Testing

extension StoreConformance {
    static let inserting: [Check] = [
        Check("a run is read back as it was inserted, in every state") { (store) async throws in
            for (index, state) in RunState.allCases.enumerated() {
                let run = sampleRun(Int64(index + 1), state: state)
                try await store.insert(run)
                #expect(try await store.run(run.id) == run)
            }
        },
        Check("every way to exit is read back") { (store) async throws in
            let exits: [ProcessExit?] = [
                nil, .exited(code: 0), .exited(code: 255), .signaled(signal: 9, coreDumped: false),
                .signaled(signal: 64, coreDumped: true), .notStarted(step: "execve", errno: 2), .unknown,
            ]
            var run = sampleRun(1, state: .failed)
            run.attempts = exits.enumerated().map { index, exit in
                var attempt = sampleAttempt(index + 1, of: 1)
                attempt.exit = exit
                return attempt
            }
            try await store.insert(run)
            #expect(try await store.run(run.id) == run)
        },
        Check("what an attempt's cgroup counted is read back, and what it did not count stays unknown") {
            (store) async throws in
            var run = sampleRun(1, state: .failed)
            var counters = CgroupCounters()
            counters.oomKills = 3
            counters.ownOutOfMemory = 0
            counters.readBytes = .max
            run.attempts[run.attempts.count - 1].usage?.counters = counters
            run.attempts[run.attempts.count - 1].conditions = [
                ConditionVerdict(
                    quantity: .memory, above: 60 << 20, times: .init(least: 3, of: 5), action: .restart,
                    samples: [1, .max, 3], at: Timestamp(microseconds: 7))
            ]
            try await store.insert(run)
            #expect(try await store.run(run.id) == run)
            #expect(try await store.run(run.id)?.attempts.last?.usage?.counters?.writes == nil)
        },
        Check("every reason is read back") { (store) async throws in
            for (index, kind) in Reason.Kind.allCases.enumerated() {
                var run = sampleRun(Int64(index + 1), state: .failed)
                run.reason = Reason(kind, "because")
                try await store.insert(run)
                #expect(try await store.run(run.id) == run)
            }
        },
        Check("a run without parameters, groups and rights is read back") { (store) async throws in
            var run = sampleRun(1)
            run.parameters = []
            run.identity.groups = []
            run.rights.users = []
            run.rights.groups = []
            try await store.insert(run)
            #expect(try await store.run(run.id) == run)
        },
        Check("a number is taken once") { (store) async throws in
            let run = sampleRun(1)
            try await store.insert(run)
            await expectConflict("same number") { try await store.insert(sampleRun(1, task: "other")) }
            #expect(try await store.run(run.id) == run)
        },
        Check("a run that is not there is nil") { (store) async throws in
            #expect(try await store.run(RunID(rawValue: 1)) == nil)
        },
        Check("runs of changed units keep the settings they were fired with") { (store) async throws in
            var later = sampleRun(2)
            later.settings.timeoutStop = .infinity
            try await store.insert(sampleRun(1))
            try await store.insert(later)
            try await store.insert(sampleRun(3))
            #expect(try await store.run(RunID(rawValue: 1))?.settings == sampleRun(1).settings)
            #expect(try await store.run(RunID(rawValue: 2))?.settings == later.settings)
            #expect(try await store.run(RunID(rawValue: 3))?.settings == sampleRun(3).settings)
        },
    ]

    static let changing: [Check] = [
        Check("an active run is replaced as a whole") { (store) async throws in
            try await store.insert(sampleRun(1, state: .running))
            var changed = sampleRun(1, task: "other", state: .starting)
            changed.attempts = [sampleAttempt(1, of: 5), sampleAttempt(2, of: 5)]
            changed.attempts[0].state = .lost
            changed.parameters.removeFirst()
            changed.priority = 99
            changed.rights.firedBy = 7
            try await store.update(changed)
            #expect(try await store.run(changed.id) == changed)
            changed.attempts.removeLast()
            try await store.update(changed)
            #expect(try await store.run(changed.id) == changed)
        },
        Check("a run that is not there cannot be updated") { (store) async throws in
            await expectConflict("update") { try await store.update(sampleRun(1)) }
            #expect(try await store.run(RunID(rawValue: 1)) == nil)
        },
        Check("a run that is over cannot be updated") { (store) async throws in
            let run = sampleRun(1, state: .killed)
            try await store.insert(run)
            await expectConflict("update") { try await store.update(sampleRun(1, state: .running)) }
            #expect(try await store.run(run.id) == run)
        },
    ]

    static let retrying: [Check] = [
        Check("what follows on an end is stored with it, once") { (store) async throws in
            func follower(_ id: Int64, _ event: RunTrigger.Event, _ ended: Run) -> Run {
                var run = sampleRun(id, state: .queued)
                run.attempts = []
                run.trigger = RunTrigger(event, ended)
                run.retry = sampleRetry
                return run
            }
            let run = sampleRun(1)
            try await store.insert(run)
            var waiting = sampleRun(1, state: .queued)
            waiting.retry = sampleRetry
            let first = follower(2, .onAttemptFailure, waiting)
            try await store.update(waiting, with: [first])
            // A commit that seemed to fail is tried again.
            try await store.update(waiting, with: [first])
            let end = sampleRun(1, state: .failed)
            let second = follower(3, .onFailure, end)
            try await store.finish(end, with: [second])
            #expect(try await store.activeRuns() == [first, second])
            // The first end counts, and what followed on it.
            try await store.finish(end, with: [follower(4, .onFailure, end)])
            #expect(try await store.activeRuns() == [first, second])
            await #expect(throws: StoreError.self) {
                try await store.update(waiting, with: [follower(5, .onFailure, end)])
            }
            await #expect(throws: StoreError.self) {
                try await store.insert(end, with: [follower(6, .onFailure, end)])
            }
            #expect(try await store.highestNumber() == second.id)
            try await store.insert(sampleRun(7), with: [follower(8, .onSuccess, end)])
            #expect(try await store.run(RunID(rawValue: 8))?.trigger?.event == .onSuccess)
        },
        Check("what a run waits for is read back, and the end of the attempt with it") { (store) async throws in
            var run = sampleRun(1, state: .running)
            try await store.insert(run)
            end(&run, as: .failed)
            (run.state, run.endedAt) = (.queued, nil)
            run.retry = sampleRetry
            try await store.update(run)
            #expect(try await store.run(run.id) == run)
            #expect(try await store.activeRuns() == [run])
            run.retry = nil
            run.attempts.append(sampleAttempt(2, of: 1))
            run.state = .starting
            try await store.update(run)
            #expect(try await store.run(run.id) == run)
        },
        Check("attempts that a run no longer has are gone, the earliest too") { (store) async throws in
            var run = sampleRun(1, state: .running)
            run.attempts = (1...5).map { sampleAttempt($0, of: 1) }
            try await store.insert(run)
            run.attempts = (3...6).map { sampleAttempt($0, of: 1) }
            try await store.update(run)
            #expect(try await store.run(run.id) == run)
        },
        Check("a final run can be opened again, and end again") { (store) async throws in
            let former = sampleRun(1, state: .failed)
            var run = former
            try await store.insert(run)
            run.attempts.append(sampleAttempt(2, of: 1))
            (run.state, run.reason, run.endedAt) = (.starting, nil, nil)
            try await store.reopen(run, from: former)
            #expect(try await store.run(run.id) == run)
            #expect(try await store.activeRuns() == [run])
            end(&run, as: .succeeded)
            try await store.finish(run)
            #expect(try await store.run(run.id) == run)
        },
        Check("what is not final, or not there, or final itself cannot be opened again") { (store) async throws in
            let run = sampleRun(1, state: .running)
            await expectConflict("not there") { try await store.reopen(run, from: run) }
            try await store.insert(run)
            await expectConflict("active") { try await store.reopen(sampleRun(1, state: .starting), from: run) }
            await expectConflict("final itself") { try await store.reopen(sampleRun(1, state: .failed), from: run) }
            #expect(try await store.run(run.id) == run)
        },
    ]

    static let keeping: [Check] = [
        Check("last lines are kept for their attempt, whatever becomes of the row") { (store) async throws in
            var run = sampleRun(1, state: .running)
            try await store.insert(run)
            #expect(try await store.tails(of: run.id).isEmpty)
            let first = try #require(OutputTail(["one", "", "zwei \u{FFFD}\u{1b}"], isCut: true))
            try await store.keep(first, of: run.attempts[0].invocation, run: run.id)
            #expect(try await store.tails(of: run.id) == [run.attempts[0].number: first])
            #expect(try await store.run(run.id) == run)
            run.attempts.append(sampleAttempt(2, of: 1))
            run.attempts[1].outputStart = .max
            try await store.update(run)
            end(&run, as: .failed)
            try await store.finish(run)
            let second = try #require(OutputTail(["two"]))
            try await store.keep(second, of: run.attempts[1].invocation, run: run.id)
            #expect(try await store.tails(of: run.id) == [1: first, 2: second])
            #expect(try await store.run(run.id) == run)
        },
        Check("last lines of what is not there are no error") { (store) async throws in
            let tail = try #require(OutputTail(["one"]))
            try await store.keep(tail, of: .random(), run: RunID(rawValue: 1))
            try await store.insert(sampleRun(1))
            try await store.keep(tail, of: .random(), run: RunID(rawValue: 1))
            #expect(try await store.tails(of: RunID(rawValue: 1)).isEmpty)
            #expect(try await store.tails(of: RunID(rawValue: 2)).isEmpty)
        },
    ]

    private static var sampleRetry: RetryState {
        var retry = RetryState()
        (retry.used, retry.pauses) = (3, .max)
        retry.since = Moment(realtime: Timestamp(microseconds: 1), boottime: 2, boot: ID128(high: 3, low: 4))
        retry.askedToEnd = StopRequest(cause: .kill, uid: 2001)
        retry.due = Moment(realtime: Timestamp(microseconds: .max), boottime: .max, boot: ID128(high: 3, low: 4))
        return retry
    }

    static let finishing: [Check] = [
        Check("a run's end is read back") { (store) async throws in
            var run = sampleRun(1, state: .running)
            try await store.insert(run)
            end(&run, as: .failed)
            try await store.finish(run)
            #expect(try await store.run(run.id) == run)
        },
        Check("a run that waited is over without an attempt when it is cancelled") { (store) async throws in
            var run = sampleRun(1)
            try await store.insert(run)
            end(&run, as: .cancelled)
            try await store.finish(run)
            #expect(try await store.run(run.id) == run)
        },
        Check("the first end counts and a second one is no error") { (store) async throws in
            var first = sampleRun(1, state: .running)
            try await store.insert(first)
            var second = first
            end(&first, as: .killed)
            end(&second, as: .lost)
            second.attempts.append(sampleAttempt(2, of: 1))
            try await store.finish(first)
            try await store.finish(second)
            #expect(try await store.run(first.id) == first)
        },
        Check("a run that is not there cannot end") { (store) async throws in
            await expectConflict("finish") { try await store.finish(sampleRun(1, state: .failed)) }
            #expect(try await store.run(RunID(rawValue: 1)) == nil)
        },
        Check("what is not over is no end") { (store) async throws in
            let run = sampleRun(1, state: .running)
            try await store.insert(run)
            await expectConflict("finish") { try await store.finish(run) }
        },
    ]
}
