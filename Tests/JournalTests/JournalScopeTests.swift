import TaskModel
import Testing

@testable import Journal

@Suite struct JournalScopeTests {
    private let boot = BootID(high: 0, low: 7)
    private let invocation = InvocationID(high: 1, low: 2)

    private func run(_ number: Int64) -> Run {
        var attempt = Attempt(number: 1, invocation: invocation, boot: boot)
        attempt.startedAt = Timestamp(microseconds: 10_000_000)
        return Run(
            id: RunID(rawValue: number), task: "count", parameters: [],
            settings: TaskSettings(command: .init(path: "/x", arguments: ["x"], expandsEnvironment: false)),
            identity: RunIdentity(uid: 0, gid: 0, groups: [], userName: "root", home: "/root", shell: "/bin/sh"),
            rights: RunRights(firedBy: 0, users: [], groups: []),
            script: CheckedScript(configuredPath: "/x", realPath: "/x", device: 1, inode: 2, owner: 0), priority: 10,
            state: .running, queuedAt: Timestamp(microseconds: 9_000_000), attempts: [attempt])
    }

    private func scope(cgroups: String? = "/f/t/", identifiers: [String] = []) -> JournalScope {
        var scope = JournalScope(cgroups: cgroups, shimUID: 0)
        let run = run(17)
        scope.selection.add(run.attempts[0], of: run)
        scope.selection.identifiers = identifiers
        return scope
    }

    private var source: OutputSource { OutputSource(run: RunID(rawValue: 17), attempt: 1, invocation: invocation) }
    private let mark = "MESSAGE=run 17, attempt 1, invocation 00000000000000010000000000000002"

    @Test func `a mark is read as it was written, and nothing else is one`() {
        #expect("MESSAGE=" + source.mark == mark)
        #expect(OutputSource(mark: source.mark) == source)
        for text in ["", "run 17", source.mark + " ", source.mark + " x", "run 017" + source.mark.dropFirst(6)] {
            #expect(OutputSource(mark: text) == nil, "\(text)")
        }
    }

    @Test func `an attempt's lines are those of its streams and its cgroup; its mark tells the stream`() {
        #expect(
            scope().alternatives(streams: ["s1": source, "s2": nil, "s3": OutputSource(mark: "")]) == [
                ["_STREAM_ID=s1"], [mark, "_TRANSPORT=stdout", "_UID=0"],
                ["_SYSTEMD_CGROUP=/f/t/17.1", "_BOOT_ID=\(boot)"],
            ])
        #expect(scope(cgroups: nil).alternatives(streams: [:]) == [[mark, "_TRANSPORT=stdout", "_UID=0"]])
    }

    @Test func `nothing selected means no lines, not all`() {
        #expect(JournalScope(cgroups: "/f/t/", shimUID: 0).alternatives(streams: [:]) == [["_BOOT_ID=none"]])
    }

    @Test func `a cgroup's name counts in its boot, and for what is not older than the attempt`() {
        let scope = scope()
        func found(_ cgroup: String, boot: BootID? = nil, at time: UInt64 = 15_000_000) -> OutputSource? {
            scope.source(cgroup: cgroup, boot: (boot ?? self.boot).description, realtime: time)
        }
        #expect(found("/f/t/17.1") == source)
        #expect(found("/f/t/17.1/inner") == source)
        #expect(found("/f/t/17.1", boot: BootID(high: 0, low: 8)) == nil)
        #expect(found("/f/t/17.1", at: 7_000_000) == nil)
        #expect(found("/f/t/17.2") == OutputSource(run: RunID(rawValue: 17), attempt: 2, invocation: nil))
        for other in ["/f/shims", "/f/t/", "/f/t/17", "/f/t/17.1.2", "/f/t/x.y", "/g/t/17.1"] {
            #expect(found(other) == nil, "\(other)")
        }
    }

    @Test func `what is not selected is foreign, or asked for where everything is looked through`() {
        var other = source
        other.invocation = InvocationID(high: 9, low: 9)
        #expect(scope().owner(source) == .wanted(source))
        #expect(scope().owner(other) == .foreign)
        #expect(scope().owner(nil) == .foreign)
        var all = scope(identifiers: ["count"])
        #expect(all.alternatives(streams: [:]) == [["SYSLOG_IDENTIFIER=count", "_TRANSPORT=stdout"]])
        #expect(all.owner(other) == .unknown(other))
        all.selection.refused.insert(other)
        #expect(all.owner(other) == .foreign)
        #expect(all.owner(source) == .wanted(source))
    }
}
