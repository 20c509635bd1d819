import FafAPI
import FakeSupervisor
import Glibc
import Testing
import Varlink

@testable import faf

@Suite(.timeLimit(.minutes(2)))
struct ReleasesTests {
    private static func run(
        _ number: Int64, _ script: String, release: String? = nil, state: String = "running"
    ) -> Wire.Run {
        var run = Wire.Run.sample(number, state: state)
        run.script = script
        run.release = release
        return run
    }

    private static let runs: [Wire.Run] = [
        run(9, "/srv/b/releases/1/bin/t", release: "/srv/b/releases/1", state: "queued"),
        run(8, "/srv/a/releases/2/bin/t", release: "/srv/a/releases/2"),
        run(7, "/usr/lib/t"),
        run(6, "/srv/a/releases/1/t", release: "/srv/a/releases/1", state: "stopping"),
        run(5, "/srv/a/releases/2/bin/t", release: "/srv/a/releases/2", state: "starting"),
    ]

    @Test func `each release names the runs that use it`() {
        let list = UsedRelease.list(of: Self.runs, in: nil)
        #expect(list.map(\.path) == ["/srv/a/releases/1", "/srv/a/releases/2", "/srv/b/releases/1"])
        #expect(list.map { $0.runs.map(\.number) } == [[6], [8, 5], [9]])
    }

    @Test func `in a directory are the releases right in it`() {
        let list = UsedRelease.list(of: Self.runs, in: "/srv/a/releases")
        #expect(list.map(\.path) == ["/srv/a/releases/1", "/srv/a/releases/2"])
        #expect(UsedRelease.list(of: Self.runs, in: "/srv/a/rel").isEmpty, "a part of a name is not the name")
        #expect(UsedRelease.list(of: Self.runs, in: "/").map(\.path) == ["/srv", "/usr"])
    }

    @Test func `a directory's own name, and releases within a release, do not matter`() {
        let runs = [
            Self.run(1, "/srv/a/versions/7/bin/t"),
            Self.run(2, "/srv/a/versions/8/vendor/releases/x/t", release: "/srv/a/versions/8/vendor/releases/x"),
            Self.run(3, "/srv/a/versions/t"),
        ]
        #expect(
            UsedRelease.list(of: runs, in: "/srv/a/versions").map(\.path) == ["/srv/a/versions/7", "/srv/a/versions/8"])
    }

    @Test func `only runs that are not over are asked for`() throws {
        let fake = try FakeSupervisor { _ in
            .reply(
                Wire.ListRuns.Reply(runs: [Self.runs[0]]),
                Wire.ListRuns.Reply(runs: [
                    // Ended while the answer was on its way.
                    Self.run(1, "/srv/a/releases/0/t", release: "/srv/a/releases/0", state: "succeeded")
                ]))
        }
        defer { fake.stop() }
        let done = try call(["releases", "--json"], fake)
        #expect(fake.calls[0].json.text == #"{"limit":0}"#)
        #expect(
            done.output == """
                [{"release":"/srv/b/releases/1","runs":[{"number":9,"task":"count","state":"queued","uid":0,\
                "script":"/srv/b/releases/1/bin/t"}]}]

                """)
        let text = try call(["releases"], fake).output.split(separator: "\n")
        try #require(text.count == 2)
        #expect(text[0].hasPrefix("RUN") && text[1].hasSuffix("  /srv/b/releases/1"))
    }

    @Test func `a directory that is a link means what it leads to`() throws {
        var template = Array("/tmp/faf-releases.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let base = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            unlink(base + "/link")
            rmdir(base + "/releases")
            rmdir(base)
        }
        try #require(mkdir(base + "/releases", 0o755) == 0 && symlink("releases", base + "/link") == 0)
        let script = base + "/releases/1/bin/t"
        let fake = try FakeSupervisor { _ in .reply(Wire.ListRuns.Reply(runs: [Self.run(4, script)])) }
        defer { fake.stop() }
        let done = try call(["releases", "--in", base + "/link", "--json"], fake)
        let release = try JSON(parsing: done.output).arrayValue?[0].objectValue?["release"]
        #expect(release?.stringValue == base + "/releases/1")
    }

    @Test func `nothing in use is an empty list, a missing directory an error`() throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.ListRuns.Reply(runs: [])) }
        defer { fake.stop() }
        #expect(try call(["releases", "--json"], fake) == Done(status: 0, output: "[]\n", errors: ""))
        #expect(
            try call(["releases"], fake) == Done(status: 0, output: "", errors: "no run uses a release\n"))
        let done = try call(["releases", "--in", "/nowhere/releases", "--json"], fake)
        #expect(done.status == 66 && done.output == "")
        #expect(done.errors.hasPrefix("faf: /nowhere/releases: No such file or directory\n"))
    }
}
