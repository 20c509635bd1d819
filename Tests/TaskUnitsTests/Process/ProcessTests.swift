import TaskModel
import Testing

@testable import TaskUnits

@Suite struct ProcessTests {
    private let invocation = InvocationID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

    private func run(_ lines: String = "") throws -> Run {
        let settings = try #require(task(lines).unit).settings
        let identity = RunIdentity(
            uid: 2001, gid: 2001, groups: [], userName: "alice", home: "/home/alice", shell: "/bin/bash")
        let script = CheckedScript(configuredPath: "/srv/t", realPath: "/srv/r/1/t", device: 1, inode: 2, owner: 0)
        var run = Run(
            id: RunID(rawValue: 17), task: "resize@thumb", parameters: [], settings: settings, identity: identity,
            rights: RunRights(firedBy: 0, users: [], groups: []), script: script, priority: 10, state: .starting,
            queuedAt: Timestamp(microseconds: 0), attempts: [])
        run.attempts = [Attempt(number: 2, invocation: invocation, boot: invocation)]
        return run
    }

    private func environment(
        _ run: Run, passed: [String: String] = [:], files: [[(name: String, value: String)]] = []
    ) -> [String] {
        ProcessEnvironment.build(
            run: run, attempt: run.attempts[0], directories: .system, socketPath: "/run/faf/fafd.sock", passed: passed,
            files: files)
    }

    @Test func `the environment is exactly the documented list`() throws {
        let all = environment(try run(), passed: ["HOME": "/root", "FOO": "x", "NOTIFY_SOCKET": "/run/systemd/notify"])
        #expect(
            all == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LANG=C.UTF-8", "HOME=/home/alice", "USER=alice", "LOGNAME=alice", "SHELL=/bin/bash",
                "NOTIFY_SOCKET=/run/faf/notify/0123456789abcdeffedcba9876543210",
                "INVOCATION_ID=0123456789abcdeffedcba9876543210", "FAF_TASK=resize@thumb", "FAF_RUN=17",
                "FAF_ATTEMPT=2",
                "FAF_SOCKET=/run/faf/fafd.sock", "FAF_SCRIPT=/srv/t", "FAF_INPUT=/var/lib/faf/io/17.2/input",
                "FAF_RESULT=/var/lib/faf/io/17.2/result",
            ])
    }

    @Test func `without NotifyAccess there is no notify socket`() throws {
        #expect(!environment(try run("NotifyAccess=none")).contains { $0.hasPrefix("NOTIFY_SOCKET=") })
    }

    @Test func `later sources win, and faf's own variables over all`() throws {
        let run = try run("PassEnvironment=LANG TZ A MISSING\nEnvironment=A=unit B=unit C=unit HOME=/h")
        let all = environment(
            run, passed: ["LANG": "de_DE.UTF-8", "TZ": "UTC", "A": "passed", "D": "never"],
            files: [
                [("B", "file1"), ("C", "file1"), ("FAF_RUN", "18"), ("NOTIFY_SOCKET", "/x")],
                [("C", "file2=x"), ("WATCHDOG_USEC", "1")],
            ])
        func value(_ name: String) -> [String] { all.filter { $0.hasPrefix(name + "=") } }
        #expect(value("LANG") == ["LANG=de_DE.UTF-8"])
        #expect(value("TZ") == ["TZ=UTC"])
        #expect(value("A") == ["A=unit"])
        #expect(value("B") == ["B=file1"])
        #expect(value("C") == ["C=file2=x"])
        #expect(value("D") == [] && value("MISSING") == [] && value("WATCHDOG_USEC") == [])
        #expect(value("HOME") == ["HOME=/h"])
        #expect(value("FAF_RUN") == ["FAF_RUN=17"])
        #expect(value("NOTIFY_SOCKET") == ["NOTIFY_SOCKET=/run/faf/notify/\(invocation)"])
    }

    @Test func `variables of the unit are replaced, parameters are not`() throws {
        var run = try run()
        run.settings.command = .init(
            path: "/srv/t", arguments: ["/srv/t", "$A", "${B}x", "$$"], expandsEnvironment: true)
        run.parameters = [
            .init(name: "a", value: .init(kind: .string, text: "$A")),
            .init(name: "b", value: .init(kind: .number, text: "1.50")),
        ]
        let environment = ["A=one two", "B=three four"]
        #expect(
            ProcessArguments.build(run: run, environment: environment) == [
                "/srv/t", "one", "two", "three fourx", "$", "--a=$A", "--b=1.50",
            ])
        run.settings.command.expandsEnvironment = false
        #expect(
            ProcessArguments.build(run: run, environment: environment).prefix(4) == ["/srv/t", "$A", "${B}x", "$$"])
    }

    @Test func `argv is never empty`() throws {
        var run = try run()
        run.settings.command = .init(path: "/srv/t", arguments: ["$NOTHING"], expandsEnvironment: true)
        #expect(ProcessArguments.build(run: run, environment: []) == ["/srv/t"])
    }
}
