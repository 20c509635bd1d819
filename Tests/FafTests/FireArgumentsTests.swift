import Testing
import Varlink

@testable import faf

struct FireArgumentsTests {
    private func parse(_ arguments: String..., verb: String = "fire") throws -> FireArguments {
        try FireArguments(verb: verb, arguments)
    }

    private func failure(_ arguments: String..., verb: String = "fire") -> Failure? {
        #expect(throws: Failure.self) { try FireArguments(verb: verb, arguments) }
    }

    @Test func `a task and its parameters`() throws {
        let parsed = try parse("count", "--to=5", #"--label=a "b\c""#, "--empty=", "--equals=a=b")
        #expect(parsed.task == "count")
        #expect(parsed.parameters.members.map(\.name) == ["to", "label", "empty", "equals"])
        #expect(parsed.parameters["to"] == .string("5"))
        #expect(parsed.parameters["label"] == .string(#"a "b\c""#))
        #expect(parsed.parameters["empty"] == .string(""))
        #expect(parsed.parameters["equals"] == .string("a=b"))
    }

    @Test func `faf's own options may stand anywhere`() throws {
        let parsed = try parse("--json", "--a=1", "--wait", "t", "--socket", "/s", "--status-to-stdout", "--user")
        #expect(parsed.task == "t")
        #expect(parsed.waits && parsed.statusToStandardOutput && parsed.json && parsed.user)
        #expect(parsed.socket == "/s")
        #expect(parsed.parameters.members.map(\.name) == ["a"])
        #expect(try parse("t", "--socket=/x=y").socket == "/x=y")
    }

    @Test func `after two dashes everything is a parameter`() throws {
        let parsed = try parse("t", "--json", "--", "--wait=1", "--json=2", "--help=3", "--=4")
        #expect(!parsed.waits && parsed.json && !parsed.help)
        #expect(parsed.parameters.members.map(\.name) == ["wait", "json", "help", ""])
    }

    @Test func `a value behind colon and equals sign is JSON`() throws {
        let parsed = try parse("t", "--n:=9007199254740993", "--x:=1.50", "--b:=true", #"--l:=["a",{"k":null}]"#)
        #expect(parsed.parameters["n"] == .number("9007199254740993"))
        #expect(parsed.parameters["x"] == .number("1.50"))
        #expect(parsed.parameters["b"] == .bool(true))
        #expect(parsed.parameters["l"]?.text == #"["a",{"k":null}]"#)
        let refused = failure("t", "--n:=five")
        #expect(refused?.code == .data)
        #expect(refused?.message.contains("parameter n") == true)
    }

    @Test func `a parameter without a value says how to write one`() {
        let refused = failure("t", "--loud")
        #expect(refused?.code == .usage)
        #expect(refused?.remedy.contains("--loud=VALUE") == true)
    }

    @Test func `a parameter that is given twice is refused by name`() {
        let refused = failure("t", "--a=1", "--a:=2")
        #expect(refused?.code == .data)
        #expect(refused?.message == "parameter a is given twice")
    }

    @Test func `an option of faf with a value is not taken for a parameter`() {
        let refused = failure("t", "--user=alice")
        #expect(refused?.code == .usage)
        #expect(refused?.remedy.contains("-- --user=alice") == true)
    }

    @Test func `what cannot be meant is refused`() {
        #expect(failure("t", "more")?.message.contains("more") == true)
        #expect(failure("t", "-x")?.message.contains("-x") == true)
        #expect(failure("t", "--", "a=1")?.message.contains("a=1") == true)
        #expect(failure("t", "--socket")?.message.contains("--socket") == true)
    }

    @Test func `run has options of its own`() throws {
        let parsed = try parse("--foreground", "t", "--wait=1", verb: "run")
        #expect(parsed.foreground && !parsed.waits)
        #expect(parsed.parameters["wait"] == .string("1"))
        #expect(try parse("t", "--foreground=no").parameters["foreground"] == .string("no"))
    }

    @Test func `the suffix of a task may be written`() throws {
        #expect(try parse("count.task").task == "count")
        #expect(try parse("resize@thumb.task").task == "resize@thumb")
        #expect(try parse(".task").task == ".task")
    }

    @Test func `options before the verb move behind it`() {
        #expect(Main.verbFirst(["--user", "fire", "t", "--a=1"]) == ["fire", "--user", "t", "--a=1"])
        #expect(Main.verbFirst(["--socket", "/s", "--json", "list"]) == ["list", "--socket", "/s", "--json"])
        #expect(Main.verbFirst(["--socket=/s", "list"]) == ["list", "--socket=/s"])
        #expect(Main.verbFirst(["--json"]) == ["--json"])
        #expect(Main.verbFirst(["--user", "--help"]) == ["--user", "--help"])
        #expect(Main.verbFirst([]) == [])
    }
}

struct TargetTests {
    @Test func `digits are a run and everything else is a task`() throws {
        #expect(try Target("17") == .run(17))
        #expect(try Target("count") == .task("count"))
        #expect(try Target("17a.task") == .task("17a"))
        #expect(try Target("resize@17") == .task("resize@17"))
    }

    @Test func `what is neither is refused`() {
        for text in ["", "x y", "99999999999999999999", "a/b"] {
            #expect(throws: Failure.self, "\(text)") { try Target(text) }
        }
        #expect(throws: Failure.self) { try Target.runNumber("x") }
        #expect(throws: Failure.self) { try Target.runNumber("") }
    }
}
