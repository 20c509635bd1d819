import TaskUnits
import Testing

struct AnalyzeDropInTests {
    private typealias Member = AnalyzeValue.Member

    private func load(_ files: [(String, String)], _ want: String..., unit: String = "a.task") -> AnalyzeValue? {
        let nodes = files.map { path, text -> Member in
            text.hasPrefix("->")
                ? Member(path, .object([Member("symlink", .string(String(text.dropFirst(2))))]))
                : Member(path, .string(text))
        }
        return Analyze.evaluate(
            kind: "dropin",
            caseValue: .object([
                Member("files", .object(nodes)), Member("dirs", .array([.string("/1"), .string("/2")])),
                Member("unit", .string(unit)), Member("want", .array(want.map { .string($0) })),
            ]))["value"]
    }

    private func state(_ files: (String, String)..., unit: String = "a.task") -> AnalyzeValue? {
        load(files, unit: unit)?["load_state"]
    }

    @Test func `load states are systemd's`() {
        let good = "[Task]\nExecStart=/x"
        #expect(state(("/1/a.task", good)) == .string("loaded"))
        #expect(state(("/1/b.task", good)) == .string("not-found"))
        #expect(state(("/1/a.task", "->/dev/null"), ("/2/a.task", good)) == .string("masked"))
        #expect(state(("/1/a.task", "")) == .string("masked"))
        #expect(state(("/1/a.task", "[Task\n")) == .string("error"))
        #expect(state(("/1/a.task", "[Task]\nExecStart=/x \"")) == .string("bad-setting"))
        // Checked after all drop-ins.
        #expect(state(("/1/a.task", "[Unit]\nDescription=x")) == .string("bad-setting"))
        #expect(state(("/1/a.task", "[Unit]\n"), ("/1/a.task.d/x.conf", good)) == .string("loaded"))
        #expect(state(("/1/a.task", good), ("/1/a.task.d/x.conf", good)) == .string("bad-setting"))
        #expect(
            state(("/1/a.task", good), ("/1/a.task.d/x.conf", "[Task]\nExecStart=\nExecStart=/y")) == .string("loaded"))
        #expect(
            state(("/1/a.task", "[Task]\nType=oneshot\nExecStart=/x\nExecStart=/y")) == .string("loaded"))
        #expect(state(("/1/a.task", "[Task]\nExecStart=-/x/\nExecStart=/y")) == .string("loaded"))
    }

    @Test func `single values: the last that can be read counts, empty is the default`() {
        let unit =
            "[Unit]\nDescription=one %n\n[Task]\nExecStart=/x\nTimeoutStopSec=5\nTimeoutStopSec=bad\nNice=5\nNice="
        let answer = load(
            [("/1/a.task", unit), ("/2/a.task.d/x.conf", "[Unit]\nDescription=two %n\n[Task]\nKillSignal=sigterm")],
            "Description", "TimeoutStopSec", "Nice", "KillSignal", "User")
        #expect(
            answer
                == .object([
                    Member("load_state", .string("loaded")), Member("Description", .string("two a.task")),
                    Member("TimeoutStopSec", .number("5000000")), Member("Nice", .null), Member("KillSignal", .null),
                    Member("User", .null),
                ]))
    }

    @Test func `lists add up and are reset, dependencies are not`() {
        let answer = load(
            [
                (
                    "/1/a.task",
                    "[Unit]\nAfter=b.task\nDocumentation=man:a\n[Task]\nExecStart=/x\nEnvironment=A=1\nEnvironmentFile=/e"
                ),
                (
                    "/1/a.task.d/x.conf",
                    "[Unit]\nAfter=\nAfter=c.task\nDocumentation=\n[Task]\nEnvironment=\nEnvironment=B=2\nEnvironmentFile=-/f"
                ),
            ], "After", "Documentation", "Environment", "EnvironmentFile")
        let list = { (texts: [String]) in AnalyzeValue.array(texts.map { .string($0) }) }
        #expect(answer?["After"] == list(["b.task", "c.task"]))
        #expect(answer?["Documentation"] == list([]))
        #expect(answer?["Environment"] == list(["B=2"]))
        #expect(answer?["EnvironmentFile"] == list(["/e", "-/f"]))
    }

    @Test func `a bad command in a drop-in skips the rest of it`() {
        let answer = load(
            [
                ("/1/a.task", "[Unit]\nDescription=a\n[Task]\nExecStart=/x"),
                ("/1/a.task.d/1.conf", "[Task]\nExecStart=/y/\n[Unit]\nDescription=b"),
                ("/1/a.task.d/2.conf", "[Task]\nNice=3"),
            ], "Description", "Nice")
        #expect(answer?["Description"] == .string("a"))
        #expect(answer?["Nice"] == .number("3"))
    }
}
