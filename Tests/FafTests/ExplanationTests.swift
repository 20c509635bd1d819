import FafAPI
import FakeSupervisor
import Glibc
import TaskModel
import Testing

@testable import faf

/// The sentences of `faf explain`; that they fit what fafd really tells is tested with a real one (test_explain.py).
struct ExplanationTests {
    init() {
        setenv("TZ", "UTC", 1)
        tzset()
    }

    private let now: Int64 = 1_000_000_000_000_000

    private func over(_ state: String, _ kind: String, _ text: String) -> Wire.Run {
        var run = Wire.Run.sample(17, task: "import", state: state, endedAt: now - 180_000_000)
        run.startedAt = now - 290_000_000
        run.reason = .init(kind: kind, text: text)
        return run
    }

    private func lines(_ run: Wire.Run) -> [String] {
        Explanation(run, now: now, userName: { $0 == 2001 ? "alice" : nil }).lines(.plain)
    }

    @Test func `who stopped it, with the setting, its value and the samples`() {
        let text = "PressureAbove=5.0% was exceeded by 3 of 3 samples: *6.1%, *7.0%, *9.4%"
        var run = over("failed", "memory-pressure", text + " (ended by SIGKILL)")
        run.attempts[0].conditions = [
            .init(
                setting: "PressureAbove", above: 500, samples: [610, 700, 940], action: "kill", at: now, text: text)
        ]
        run.attempts[0].stop = .init(
            cause: "pressure", signal: "SIGTERM", setting: "PressureAbove=5%", grace: "TimeoutStopSec=10s",
            since: now - 190_000_000, killed: true)
        #expect(
            lines(run) == [
                "run 17 of import: failed (memory-pressure)",
                "    why: \(text) (ended by SIGKILL)",
                "    who: PressureAbove=5% stopped it, 2001-09-09 01:43:30 (3 min ago): SIGTERM was sent; it had not "
                    + "ended when TimeoutStopSec=10s was over, and was killed",
                "   next: nothing: it ended at 2001-09-09 01:43:40 (3 min ago), after 1 min 50 s",
                "    try: `faf show 17` tells what it used; raise the limit in its unit, or let it use less",
            ])
    }

    @Test func `what it wrote last is told of what has failed, each line in its place`() {
        var run = over("failed", "exit-code", "exit status 3")
        run.attempts[0].state = "failed"
        run.attempts[0].output = .init(lines: ["an end", "\tat line 7", "\u{1b}[2Jrun 18: succeeded"], cut: true)
        #expect(
            lines(run)[2...5] == [
                "         its script ended by itself; only 0 and what SuccessExitStatus= names are success",
                "  wrote: ... an end", "         \tat line 7", "         \\x1b[2Jrun 18: succeeded",
            ])
        run.attempts[0].state = "succeeded"
        #expect(!lines(run).contains { $0.contains("wrote:") })
    }

    @Test func `users have their names`() {
        var run = over("killed", "signal", "stopped by uid 2001 (ended by SIGTERM)")
        run.attempts[0].stop = .init(cause: "kill", signal: "SIGTERM", uid: 2001, since: now - 5_000_000)
        #expect(
            lines(run)[2]
                == "    who: alice (2001) stopped it with faf kill, 2001-09-09 01:46:35 (5 s ago): SIGTERM was sent")
    }

    @Test(arguments: Reason.Kind.allCases)
    func `every reason that is no success comes with something to do`(kind: Reason.Kind) {
        let told = Explanation(over("failed", kind.rawValue, "text"), now: now).sentences
        #expect(told.first == .init(.why, "text"))
        #expect((told.last?.topic == .advice) == (kind != .success))
        #expect(told.allSatisfy { !$0.text.isEmpty && !$0.text.hasSuffix(".") })
    }

    @Test func `of very many attempts the latest are told`() {
        var run = over("failed", "exit-code", "exit status 3")
        run.attempts = (1...20).map { number in
            var attempt = run.attempts[0]
            (attempt.number, attempt.state) = (Int64(number), "failed")
            return attempt
        }
        let before = Explanation(run, now: now).sentences.filter { $0.topic == .before }.map(\.text)
        #expect(before.count == 6 && before[0] == "14 earlier attempts")
        #expect(before[5].hasPrefix("attempt 19 failed"))
    }

    @Test func `what a newer fafd tells is passed on, and nothing leaves its place`() {
        var run = over("paused", "moon\n", "the moon is full\u{1b}[2J\nrun 18: succeeded")
        run.endedAt = nil
        #expect(
            lines(run) == [
                "run 17 of import: paused", "    why: the moon is full\\x1b[2J\\nrun 18: succeeded",
            ])
    }
}
