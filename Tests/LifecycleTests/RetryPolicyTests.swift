import TaskModel
import Testing

@testable import Lifecycle

@Suite struct RetryPolicyTests {
    /// Computed with 50 digits from systemd's formula, cut to µs as systemd cuts it.
    @Test(
        arguments: [
            (100_000, 60_000_000, 5, [100_000, 359_443, 1_291_994, 4_643_984, 16_692_485, 60_000_000, 60_000_000]),
            (
                1_000_000, 3_600_000_000, 10,
                [
                    1_000_000, 2_267_933, 5_143_520, 11_665_161, 26_455_806, 60_000_000, 136_075_989, 308_611_247,
                    699_909_680, 1_587_348_371, 3_600_000_000, 3_600_000_000,
                ]
            ),
            (5_000_000, 5_000_001, 3, [5_000_000, 5_000_000, 5_000_000, 5_000_001]),
            (100_000, 1_000_000, 1, [100_000, 1_000_000, 1_000_000]),
            (1, 86_400_000_000, 7, [1, 36, 1332, 48_649, 1_775_973, 64_832_912, 2_366_762_265, 86_400_000_000]),
        ] as [(UInt64, UInt64, UInt32, [UInt64])])
    func `delays grow as RestartSteps= has them`(first: UInt64, last: UInt64, steps: UInt32, expected: [UInt64]) {
        var settings = RetrySettings()
        settings.delay = first
        settings.maxDelay = last
        settings.steps = steps
        for (index, microseconds) in expected.enumerated() {
            let delay = settings.delay(beforeRetry: UInt32(index + 1))
            #expect(max(delay, microseconds) - min(delay, microseconds) <= 1, "retry \(index + 1): \(delay)")
        }
        #expect(settings.delay(beforeRetry: .max) == last)
    }

    @Test func `steps without a longest delay, and what else systemd ignores, leave the delay as it is`() {
        let ignored: [(UInt64, UInt64?, UInt32)] = [
            (100_000, nil, 5), (100_000, 60_000_000, 0), (0, 60_000_000, 5), (100_000, 100_000, 5),
            (100_000, 99_999, 5),
        ]
        for (first, last, steps) in ignored {
            var settings = RetrySettings()
            settings.delay = first
            settings.maxDelay = last
            settings.steps = steps
            for number: UInt32 in [1, 2, 5, 6, 100] { #expect(settings.delay(beforeRetry: number) == first) }
        }
    }

    @Test func `jitter adds at most its share, evenly`() {
        var settings = RetrySettings()
        settings.jitter = 25
        #expect(settings.withJitter(1_000_000, random: 0) == 1_000_000)
        #expect(settings.withJitter(1_000_000, random: .max / 2) == 1_124_999)
        #expect(settings.withJitter(1_000_000, random: .max) == 1_249_999)
        settings.jitter = 255
        #expect(settings.withJitter(.max, random: .max) == .max)
        settings.jitter = 0
        #expect(settings.withJitter(1_000_000, random: .max) == 1_000_000)
    }

    private func end(
        _ exit: ProcessExit?, _ state: RunState = .failed, _ kind: Reason.Kind = .exitCode,
        _ change: (inout AttemptObservation) -> Void = { _ in }
    ) -> RunEnd {
        var end = RunEnd(state: state, reason: Reason(kind, "it ended"), endedAt: noon)
        var seen = observation(.emptied, held: false)
        seen.exit = exit
        change(&seen)
        end.observation = seen
        return end
    }

    private func decide(
        _ end: RunEnd, _ state: RetryState = RetryState(), at now: Moment = noonHere,
        action: ConditionSettings.Action = .kill, with change: (inout RetrySettings) -> Void
    ) -> RetryPolicy.Decision {
        var settings = sampleRun().settings
        change(&settings.retry)
        settings.conditions.memory.action = action
        return RetryPolicy.decide(end, settings, state, ended: now, random: 0)
    }

    private func isAgain(_ decision: RetryPolicy.Decision) -> Bool {
        if case .again = decision { true } else { false }
    }

    @Test(arguments: Reason.Kind.allCases)
    func `what is tried again follows systemd's matrix`(kind: Reason.Kind) {
        let never: Set<Reason.Kind> = [.cancelled, .shutdown]
        let failures: Set<Reason.Kind> = [.exitCode, .exec]
        let isAbnormal = kind != .success && !never.contains(kind) && !failures.contains(kind)
        let expected: [RetrySettings.Mode: Bool] = [
            .no: false, .always: !never.contains(kind), .onFailure: isAbnormal || failures.contains(kind),
            .onAbnormal: isAbnormal,
        ]
        for (mode, isRetried) in expected {
            #expect(isAgain(decide(end(nil, .failed, kind)) { $0.mode = mode }) == isRetried, "\(mode)")
        }
    }

    @Test func `the exit statuses decide before the mode, and prevention before force`() {
        let failed = end(.exited(code: 3))
        #expect(!isAgain(decide(failed) { ($0.mode, $0.prevent.codes) = (.always, [3]) }))
        #expect(isAgain(decide(failed) { $0.force.codes = [3] }))
        #expect(!isAgain(decide(failed) { ($0.force.codes, $0.prevent.codes) = ([3], [3]) }))
        let died = end(.signaled(signal: 11, coreDumped: true), .failed, .coreDump)
        #expect(!isAgain(decide(died) { ($0.mode, $0.prevent.signals) = (.always, [11]) }))
        #expect(isAgain(decide(died) { $0.force.signals = [11] }))
        let succeeded = end(.exited(code: 0), .succeeded, .success)
        #expect(isAgain(decide(succeeded) { $0.force.codes = [0] }))
        guard case .over(let note?) = decide(failed, with: { ($0.mode, $0.prevent.codes) = (.always, [3]) }) else {
            Issue.record("no word about RetryPreventExitStatus=")
            return
        }
        #expect(note.contains("RetryPreventExitStatus="))
    }

    @Test func `what somebody has asked to end is never tried again`() {
        let kill = StopRequest(cause: .kill, uid: 2001)
        func retried(_ change: (inout AttemptObservation) -> Void) -> Bool {
            isAgain(
                decide(end(.exited(code: 3), .killed, .signal, change)) { ($0.mode, $0.force.codes) = (.always, [3]) })
        }
        #expect(!retried { $0.stop = kill })
        #expect(!retried { $0.stop = StopRequest(cause: .shutdown, uid: 0) })
        // It came too late to end the script, and still says what somebody wants.
        #expect(!retried { ($0.stop, $0.askedToEnd) = (StopRequest(cause: .leftovers, uid: 0), kill) })
        #expect(retried { $0.stop = StopRequest(cause: .timeoutStart, uid: 0) })
        #expect(retried { $0.lastSignal = StopRequest(cause: .signal, signal: 9, uid: 2001) })
    }

    @Test func `a condition's action decides whether it is tried again`() {
        let stopped = end(.signaled(signal: 15, coreDumped: false), .failed, .memoryLimit) {
            $0.stop = StopRequest(cause: .memoryLimit, uid: 0)
        }
        #expect(isAgain(decide(stopped, action: .restart) { $0.mode = .no }))
        #expect(!isAgain(decide(stopped, action: .kill) { $0.mode = .always }))
        let limited = RetryState()
        #expect(!isAgain(decide(stopped, limited, action: .restart) { $0.limit = 0 }))
    }

    /// The µs between an end and the retry, at most `count` times; the last decision.
    private func delays(
        _ count: Int, lasting: UInt64 = 0, _ change: (inout RetrySettings) -> Void
    ) -> ([UInt64], RetryPolicy.Decision?) {
        var now = noonHere
        var state = RetryState()
        var delays: [UInt64] = []
        var last: RetryPolicy.Decision?
        for _ in 0..<count {
            last = decide(end(.exited(code: 1)), state, at: now, with: change)
            guard case .again(let next, _) = last, let due = next.due else { break }
            delays.append(due.microseconds(since: now))
            state = next
            now = due.advanced(by: lasting)
        }
        return (delays, last)
    }

    @Test func `the limit counts retries, and its end is told`() {
        let (delays, last) = delays(10) { ($0.mode, $0.limit) = (.onFailure, 3) }
        #expect(delays == [100_000, 100_000, 100_000])
        #expect(last == .over("gave up: RetryLimit=3 is reached"))
        #expect(self.delays(1000) { ($0.mode, $0.limit) = (.onFailure, nil) }.0.count == 1000)
    }

    @Test func `nothing is tried again at once, whatever is asked for`() {
        #expect(delays(1) { ($0.mode, $0.delay) = (.always, 0) }.0 == [RetryPolicy.floor])
        #expect(delays(1) { ($0.mode, $0.delay) = (.always, 250_000) }.0 == [250_000])
        let asked = end(.exited(code: 1)) { $0.retryAfter = 0 }
        let decision = decide(asked) { $0.mode = .always }
        #expect(decision.due == noonHere.advanced(by: RetryPolicy.floor))
    }

    @Test func `a delay that the script asks for takes the place of the unit's`() {
        let asked = end(.exited(code: 1)) { $0.retryAfter = 90_000_000 }
        let decision = decide(asked) { ($0.mode, $0.jitter) = (.onFailure, 100) }
        #expect(decision.due == noonHere.advanced(by: 90_000_000))
        // It decides when, never whether.
        #expect(!isAgain(decide(asked) { $0.mode = .onAbnormal }))
    }

    @Test func `the limit within a window pauses until it is over, and gives up after as many pauses`() {
        let (delays, last) = delays(100) {
            ($0.mode, $0.limit, $0.delay, $0.window) = (.onFailure, 2, 1_000_000, 10_000_000)
        }
        // Two retries, then the rest of the window; the one after the pause is the first of the next window.
        #expect(delays == [1_000_000, 1_000_000, 8_000_000, 1_000_000, 9_000_000, 1_000_000])
        #expect(last == .over("gave up: RetryLimit=2 was reached 3 times in a row"))
    }

    @Test func `attempts that last forgive what was before`() {
        let (delays, _) = delays(1000, lasting: 10_000_000) {
            ($0.mode, $0.limit, $0.window) = (.onFailure, 1, 10_000_000)
        }
        #expect(delays == Array(repeating: 100_000, count: 1000))
    }

    @Test func `no number overflows`() {
        var last = RetryState()
        (last.used, last.pauses) = (.max, .max)
        let late = Moment(realtime: Timestamp(microseconds: .max), boottime: .max, boot: thisBoot)
        for limit in [nil, UInt32.max] {
            for window in [nil, UInt64.max] {
                _ = decide(end(.exited(code: 1)) { $0.retryAfter = .max }, last, at: late) {
                    ($0.mode, $0.limit, $0.window, $0.delay) = (.always, limit, window, .max)
                    ($0.maxDelay, $0.steps, $0.jitter) = (.max, .max, 100)
                }
            }
        }
        #expect(late.microseconds(since: noonHere) > 0)
        #expect(noonHere.microseconds(since: late) == 0)
    }
}

extension RetryPolicy.Decision {
    fileprivate var due: Moment? { if case .again(let state, _) = self { state.due } else { nil } }
}
