import FafAPI
import FakeSupervisor
import FireAndForget
import Glibc
import Testing
import Varlink

@testable import faf

/// What people see, compared as a whole. Times are in UTC.
struct RenderingTests {
    init() {
        // Every test sets the same value, so it does not matter who is first.
        setenv("TZ", "UTC", 1)
        tzset()
    }

    private let now: Int64 = 1_000_000_000_000_000

    private var running: Wire.Run {
        var run = Wire.Run.sample(18)
        run.queuedAt = now - 20_000_000
        run.startedAt = now - 12_000_000
        run.status = "3 of 5"
        run.progress = .init(done: 3, total: 5)
        run.parameters["label"] = .string("a \"b\u{1b}c")
        run.parameters["to"] = .number("5")
        run.attempts[0].startedAt = run.startedAt
        run.attempts[0].shimPid = 100
        run.attempts[0].mainPid = 101
        return run
    }

    private var failed: Wire.Run {
        var run = Wire.Run.sample(17, task: "import", state: "failed")
        run.queuedAt = now - 300_000_000
        run.startedAt = now - 290_000_000
        run.endedAt = now - 180_000_000
        run.reason = .init(kind: "exit-code", text: "exit status 3")
        run.release = "/srv/app/releases/7"
        run.attempts[0].startedAt = run.startedAt
        run.attempts[0].endedAt = run.endedAt
        run.attempts[0].exitStatus = 3
        run.attempts[0].reason = run.reason
        run.attempts[0].usage = .init(
            userUSec: 1_500_000, systemUSec: 20_000, maxResidentBytes: 7 << 20, memoryPeakBytes: 9 << 20,
            cpuUSec: 2_000_000)
        return run
    }

    private var succeeded: Wire.Run {
        var run = Wire.Run.sample(16, state: "succeeded")
        run.startedAt = now - 4_000_000_000
        run.endedAt = now - 3_700_000_000
        run.reason = .init(kind: "success", text: "exit status 0")
        return run
    }

    @Test func `what the kernel did for the unit's limits is shown`() {
        var run = failed
        run.attempts[0].usage?.cpuUserUSec = 1_900_000
        run.attempts[0].usage?.cpuSystemUSec = 100_000
        run.attempts[0].usage?.cpuThrottledUSec = 12_000_000
        run.attempts[0].usage?.oomKills = 1
        run.attempts[0].usage?.readBytes = 3 << 20
        run.attempts[0].usage?.writtenBytes = 0
        run.attempts[0].usage?.refusedForks = 40
        #expect(
            details(run, colorless).all.suffix(5) == [
                "         used: 2 s of CPU time (1.9 s user, 100 ms kernel), 9.0 MiB of memory at most in all its "
                    + "processes",
                "        disks: 3.0 MiB read, 0 B written", "    held back: 12 s by CPUQuota=",
                "out of memory: the kernel killed 1 process", "    TasksMax=: refused 40 forks",
            ])
    }

    private func details(_ run: Wire.Run, _ terminal: Terminal) -> RunDetails {
        RunDetails(run: run, terminal: terminal, now: now, userName: { $0 == 0 ? "root" : nil })
    }

    @Test func `a run that goes on, in short`() {
        #expect(
            details(running, colorless).summary == [
                "run 18 of count: running",
                "       status: 3 of 5",
                "     progress: [######....] 3/5",
                "      started: 2001-09-09 01:46:28 (12 s ago)",
                "     runs for: 12 s",
                " main process: 101",
            ])
    }

    @Test func `a run with everything`() {
        #expect(
            details(failed, .plain).all == [
                "run 17 of import: failed (exit-code): exit status 3",
                "        fired: 2001-09-09 01:41:40 (5 min ago) by root (0)",
                "      started: 2001-09-09 01:41:50 (4 min ago)",
                "        ended: 2001-09-09 01:43:40 (3 min ago), after 1 min 50 s",
                "     priority: 10",
                "       script: /usr/lib/faf/count",
                "      release: /srv/app/releases/7",
                "",
                "attempt 1: failed",
                "   invocation: 0123456789abcdef0123456789abcdef",
                "      started: 2001-09-09 01:41:50 (4 min ago)",
                "        ended: 2001-09-09 01:43:40 (3 min ago), after 1 min 50 s",
                "  exit status: 3",
                "       reason: exit-code: exit status 3",
                "         used: 2 s of CPU time (1.5 s user, 20 ms kernel), 9.0 MiB of memory at most in all its processes",
            ])
    }

    @Test func `parameters are shown as the script gets them, escaped`() {
        let lines = details(running, .plain).all
        #expect(lines.contains("   parameters: --label=a \"b\\x1bc"))
        #expect(lines.contains("               --to=5"))
    }

    @Test func `what a task says cannot leave its place`() {
        var run = running
        run.status = "x\u{1b}[2J\nrun 99 of all: succeeded"
        run.task = "t\u{9b}"
        run.attempts[0].reason = .init(kind: "x\n", text: "\u{7}")
        for terminal in [colorful, colorless, Terminal.plain] {
            let all = details(run, terminal).all + RunTable.lines([run], terminal: terminal, now: now)
            let overview = Overview.lines(info, [run], socket: "/s", terminal: terminal, now: now)
            for line in all + overview {
                let colorsOnly = line.replacing("\u{1b}[", with: "").unicodeScalars
                    .allSatisfy { $0.properties.generalCategory != .control }
                #expect(colorsOnly, "\(line)")
                #expect(!line.contains("\u{1b}[2J"))
                #expect(!line.hasPrefix("run 99"))
            }
        }
    }

    @Test func `the list has a line per run`() {
        #expect(
            RunTable.lines([running, failed, succeeded], terminal: .plain, now: now) == [
                "RUN  TASK    STATE      SINCE      FOR              STATUS",
                " 18  count   running    12 s ago   12 s        3/5  3 of 5",
                " 17  import  failed     3 min ago  1 min 50 s       exit status 3",
                " 16  count   succeeded  1 h ago    5 min",
            ])
    }

    private var info: Wire.GetInfo.Reply {
        .init(version: "1.2.3", pid: 1, mode: "system", active: ["running": 1, "queued": 2], missing: [])
    }

    @Test func `everything at a glance, and what to do next`() {
        var info = info
        info.missing = [.init(kind: "memory-controller", text: "no limits of memory")]
        #expect(
            Overview.lines(
                info, [running, failed, succeeded], socket: "/run/faf/fafd.sock", terminal: colorless, now: now)
                == [
                    "fafd 1.2.3 at /run/faf/fafd.sock: 1 running, 2 queued",
                    "",
                    "Not over:",
                    "  18  count  for 12 s  [######....] 3/5  3 of 5",
                    "",
                    "Did not succeed lately:",
                    "  17  import  failed 3 min ago  exit status 3",
                    "",
                    "1 succeeded lately; the last was run 16 of count, 1 h ago.",
                    "",
                    "Protections that are missing here:",
                    "  memory-controller  no limits of memory",
                    "",
                    "  (faf logs -f 18  what it writes)",
                    "  (faf kill 18     stop it)",
                    "  (faf explain 17  why it did not succeed)",
                ])
    }

    @Test func `with nothing to see there is still something to do`() {
        var info = info
        info.active = [:]
        info.mode = "user"
        #expect(
            Overview.lines(info, [], socket: "/s", terminal: .plain, now: now) == [
                "your own fafd 1.2.3 at /s: nothing runs",
                "",
                "  (faf tasks  what can be fired)",
            ])
    }

    @Test func `problems are written as compilers do`() {
        let problem = Wire.Problem(
            severity: "error", path: "/etc/faf/units/a.task", line: 3, column: 7, section: "Task", key: "Nice",
            message: "“x” is no number", remedy: "write one from -20 to 19")
        #expect(
            ProblemText.lines(problem, terminal: .plain) == [
                "/etc/faf/units/a.task:3:7: error: Nice=: “x” is no number", "    write one from -20 to 19",
            ])
    }

    @Test func `a unit with its values`() {
        let reply = Wire.GetTask.Reply(
            task: .init(
                name: "a", description: "", loadState: "loaded", path: "/u/a.task", problems: [], mayFire: true,
                activeRuns: 0),
            sources: [.init(path: "/u/a.task", text: "[Task]\nExecStart=/bin/true\n")],
            settings: [
                .init(section: "Task", key: "ExecStart", value: "/bin/true", source: "/u/a.task:2"),
                .init(section: "Task", key: "Nice", value: "", source: "default"),
            ])
        #expect(
            TaskText.lines(reply, terminal: .plain) == [
                "# /u/a.task", "[Task]", "ExecStart=/bin/true", "", "# What holds, with drop-ins and defaults",
                "[Task]",
                "ExecStart=/bin/true  # /u/a.task:2", "Nice=                # default",
            ])
    }
}

struct ExitStatusTests {
    private func status(_ state: String, exit: Int64? = nil, signal: String? = nil) -> Int32 {
        var run = Wire.Run.sample(1, state: state, endedAt: 20_000_000)
        run.attempts[0].exitStatus = exit
        run.attempts[0].signal = signal
        return ExitStatus.of(run)
    }

    @Test func `the script's own, or 128 and the signal`() {
        #expect(status("succeeded", exit: 0) == 0)
        #expect(status("failed", exit: 3) == 3)
        #expect(status("failed", exit: 255) == 255)
        #expect(status("killed", signal: "SIGTERM") == 143)
        #expect(status("failed", signal: "SIGKILL") == 137)
        #expect(status("failed", signal: "SIGRTMIN+3") == 165)
        #expect(status("succeeded", exit: 42) == 42, "SuccessExitStatus= changes the state, not the status")
    }

    @Test func `never 0 for what did not succeed`() {
        #expect(status("failed", exit: 0) == 70)
        #expect(status("lost") == 70)
        #expect(status("cancelled") == 70)
        #expect(status("killed", exit: 0) == 70)
        #expect(status("failed", signal: "SIGNEW") == 70)
    }
}

struct FailureTests {
    @Test func `every kind of error has its exit code`() {
        let codes: [(FafErrorCode, Failure.Code)] = [
            ("BadParameter", .data), ("BadUnit", .data), ("NoSuchTask", .notFound), ("NoSuchRun", .notFound),
            ("PermissionDenied", .refused), ("ScriptRefused", .refused), ("LimitReached", .temporary),
            ("Unavailable", .temporary), ("NoDaemon", .noDaemon), ("StoreFailed", .other), ("LaunchFailed", .other),
            ("NotActive", .other), ("SomethingNew", .other),
        ]
        for (code, expected) in codes {
            #expect(Failure(.init(.init(code), "x")).code == expected, "\(code)")
        }
    }

    private typealias FafErrorCode = String

    @Test func `errors say what and what to do, escaped, on lines that belong together`() {
        let failure = Failure(.data, "bad \u{1b}x\nsecond", remedy: "do this")
        #expect(failure.text == "faf: bad \\x1bx\n     second\n     do this\n")
    }
}
