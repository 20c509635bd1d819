import FafAPI
import FakeSupervisor
import Glibc
import Testing
import Varlink

@testable import faf

/// The program itself, as a shell calls it, against something that answers like fafd.
@Suite(.timeLimit(.minutes(2)))
struct CommandTests {
    @Test func `fire prints the number alone`() throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.Fire.Reply(run: .sample(17))) }
        defer { fake.stop() }
        let done = try call(["fire", "count", "--to=5", "--label=a b"], fake)
        #expect(done == Done(status: 0, output: "17\n", errors: ""))
        #expect(fake.calls[0].json.text == #"{"task":"count","parameters":{"to":"5","label":"a b"}}"#)
    }

    @Test func `fire with json prints the run`() throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.Fire.Reply(run: .sample(17))) }
        defer { fake.stop() }
        let done = try call(["--json", "fire", "count"], fake)
        #expect(try JSON(parsing: done.output) == Wire.Run.sample(17).json)
    }

    @Test func `fire with wait exits as the script did`() throws {
        var ended = Wire.Run.sample(17, state: "failed", endedAt: 20_000_000)
        ended.attempts[0].exitStatus = 3
        ended.reason = .init(kind: "exit-code", text: "exit status 3")
        let last = ended
        let fake = try FakeSupervisor { call in
            call.name == "Fire"
                ? .reply(Wire.Fire.Reply(run: .sample(17)))
                : .reply(Wire.Watch.Reply(run: .sample(17)), Wire.Watch.Reply(run: last))
        }
        defer { fake.stop() }
        let done = try call(["fire", "count", "--wait"], fake)
        #expect(done.status == 3)
        #expect(done.output == "17\n")
        #expect(done.errors == "faf: run 17 failed: exit status 3\n")
        #expect(try JSON(parsing: call(["fire", "count", "--wait", "--json"], fake).output) == last.json)
    }

    @Test func `status to stdout prints statuses and nothing else`() throws {
        let states = ["one", "one", "two\u{1b}"].map { status in
            var run = Wire.Run.sample(17)
            run.status = status
            return Wire.Watch.Reply(run: run).json
        }
        let end = Wire.Watch.Reply(run: .sample(17, state: "succeeded", endedAt: 20_000_000)).json
        let fake = try FakeSupervisor { call in
            call.name == "Fire" ? .reply(Wire.Fire.Reply(run: .sample(17))) : .replies(states + [end])
        }
        defer { fake.stop() }
        let done = try call(["fire", "count", "--status-to-stdout"], fake)
        #expect(done == Done(status: 0, output: "one\ntwo\u{1b}\n", errors: ""), "as it is where no terminal is")
    }

    @Test func `a refusal says why, what to do, and exits with its code`() throws {
        let fake = try FakeSupervisor { call in
            call.name == "Fire"
                ? .refuse(
                    Wire.PermissionDenied(message: "bob may not fire t", remedy: "ask root", setting: "AllowUsers="))
                : .refuse(Wire.NoSuchRun(run: 9, message: "there is no run 9", remedy: "faf list"))
        }
        defer { fake.stop() }
        #expect(
            try call(["fire", "t"], fake)
                == Done(status: 77, output: "", errors: "faf: bob may not fire t\n     ask root\n"))
        for verb in [
            ["show", "9"], ["status", "9"], ["logs", "9"], ["wait", "9"], ["kill", "9"], ["show", "9", "--json"],
        ] {
            #expect(
                try call(verb, fake) == Done(status: 66, output: "", errors: "faf: there is no run 9\n     faf list\n"))
        }
    }

    @Test func `without fafd every verb says so`() throws {
        for verb in [
            [], ["list"], ["fire", "t"], ["status"], ["tasks"], ["wait", "1"], ["kill", "1"], ["reload"], ["releases"],
        ] {
            let done = try call(verb, socket: "/nowhere/fafd.sock")
            #expect(done.status == 69, "\(verb)")
            #expect(done.output == "")
            #expect(done.errors.hasPrefix("faf: no fafd answers at /nowhere/fafd.sock"))
        }
        #expect(try call(["version"], socket: "/nowhere/fafd.sock").status == 0)
    }

    @Test func `usage errors exit 64 and touch nothing`() throws {
        let fake = try FakeSupervisor { _ in .hangUp }
        defer { fake.stop() }
        for arguments in [
            ["nonsense"], ["fire"], ["fire", "t", "more"], ["fire", "t", "--x"], ["list", "--nonsense"], ["show"],
            ["show", "x"], ["kill", "1", "--whom=main"], ["kill", "1", "-s", "NOSUCH"], ["run", "t"],
            ["logs", "1", "-n=-1"],
            ["analyze"], ["analyze", "nonsense", "x"],
        ] {
            let done = try call(arguments, fake)
            #expect(done.status == 64, "\(arguments)")
            #expect(done.output == "" && done.errors.hasPrefix("faf: "), "\(arguments): \(done.errors)")
        }
        #expect(fake.calls.isEmpty)
    }

    @Test func `an argument that is not UTF-8 is refused by name`() throws {
        let fake = try FakeSupervisor { _ in .hangUp }
        defer { fake.stop() }
        let done = try run([Array("fire".utf8), Array("t".utf8), Array("--bad=".utf8) + [0xff]], socket: fake.path)
        #expect(done.status == 65)
        #expect(done.errors.contains("--bad"))
        #expect(fake.calls.isEmpty)
    }

    @Test func `the list in JSON is one array, whatever the number of replies`() throws {
        let fake = try FakeSupervisor { _ in
            .reply(Wire.ListRuns.Reply(runs: [.sample(3), .sample(2)]), Wire.ListRuns.Reply(runs: [.sample(1)]))
        }
        defer { fake.stop() }
        let done = try call(["list", "--all", "--json"], fake)
        #expect(try JSON(parsing: done.output).arrayValue?.count == 3)
        #expect(fake.calls[0].json.text == #"{"limit":-1}"#)
        let empty = try FakeSupervisor { _ in .reply(Wire.ListRuns.Reply(runs: [])) }
        defer { empty.stop() }
        #expect(try call(["list", "--json"], empty).output == "[]\n")
    }

    @Test func `wait exits 1 unless all have succeeded`() throws {
        let fake = try FakeSupervisor { call in
            let runs = call.parameters["runs"]?.arrayValue?.compactMap(\.integerValue) ?? []
            return .replies(
                runs.map { number in
                    let state = number == 2 ? "failed" : "succeeded"
                    return Wire.Wait.Reply(runs: [.sample(number, state: state, endedAt: 20_000_000)]).json
                })
        }
        defer { fake.stop() }
        #expect(try call(["wait", "1", "3", "1"], fake).status == 0)
        let done = try call(["wait", "1", "2"], fake)
        #expect(
            done
                == Done(
                    status: 1, output: "run 1 of count succeeded after 10 s\nrun 2 of count failed after 10 s\n",
                    errors: ""))
    }

    @Test func `logs are bytes as they were written where no terminal is`() throws {
        let fake = try FakeSupervisor { _ in
            .reply(Wire.ReadLog.Reply(lines: ["a\u{1b}[31m", "b\tc"]), Wire.ReadLog.Reply(lines: ["d"]))
        }
        defer { fake.stop() }
        #expect(try call(["logs", "1", "-f", "-n", "5"], fake).output == "a\u{1b}[31m\nb\tc\nd\n")
        #expect(fake.calls[0].json.text == #"{"run":1,"follow":true,"lines":5}"#)
        #expect(try call(["logs", "1", "--json"], fake).output == "[\"a\\u001b[31m\",\n \"b\\tc\",\n \"d\"]\n")
    }

    @Test func `kill of a run and of a task`() throws {
        let fake = try FakeSupervisor { call in
            .reply(Wire.Kill.Reply(runs: call.parameters["task"] == nil ? [1] : []))
        }
        defer { fake.stop() }
        #expect(try call(["kill", "1", "-s", "HUP", "--whom=main"], fake).output == "sent HUP to run 1\n")
        #expect(fake.calls[0].json.text == #"{"run":1,"signal":"HUP","whom":"main"}"#)
        #expect(
            try call(["kill", "count.task"], fake)
                == Done(status: 0, output: "", errors: "no run of count.task goes on\n"))
        #expect(fake.calls[1].json.text == #"{"task":"count"}"#)
    }

    @Test func `kill tells what follows`() throws {
        let fake = try FakeSupervisor { call in
            guard call.name == "GetRun" else { return .reply(Wire.Kill.Reply(runs: [1])) }
            var run = Wire.Run.sample(1, state: "stopping")
            run.attempts[0].stop = Wire.Stop(
                cause: "kill", signal: "SIGTERM", uid: 0, since: 0, finalSignal: "SIGQUIT", finalAt: 5, killed: false)
            return .reply(Wire.GetRun.Reply(run: run))
        }
        defer { fake.stop() }
        #expect(try call(["kill", "1"], fake).output == "stopping run 1: SIGTERM sent; SIGQUIT follows in 0 ms\n")
    }

    @Test func `freeze and thaw`() throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.Freeze.Reply(run: .sample(1))) }
        defer { fake.stop() }
        #expect(try call(["freeze", "1"], fake).output == "run 1 is frozen\n")
        #expect(try call(["thaw", "1"], fake).output == "run 1 goes on\n")
        #expect(fake.calls.map(\.name) == ["Freeze", "Thaw"])
        #expect(try call(["freeze", "count"], fake).status == 64)
    }

    @Test func `output that cannot be written is an error`() throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.ListRuns.Reply(runs: [.sample(1)])) }
        defer { fake.stop() }
        #expect(try call(["list"], fake, output: "/dev/full").status == 70)
    }

    @Test func `completion without fafd is empty and quick`() throws {
        let words = ["---completion", "fire", "--", "positional@0", "2", "0", "faf", "fire", ""]
        #expect(try call(words, socket: "/nowhere").output == "\n")
        let silent = try FakeSupervisor { _ in .hang([]) }
        defer { silent.stop() }
        let began = ContinuousClock.now
        #expect(try call(words, silent).output == "\n")
        #expect(ContinuousClock.now - began < .seconds(5))
    }

    @Test func `analyze answers line by line`() throws {
        let input = """
            {"kind": "timespan", "case": {"input": "5min"}}
            {"kind": "unitfile", "case": {"input_base64": "W1VuaXRdCkE9MQo="}}
            {"kind": "varlink_idl", "case": {"input_base64": "aW50ZXJmYWNlIGEuYgptZXRob2QgWCgpIC0+ICgpCg"}}
            {"kind": "timespan", "case": {"input": "5 lightyears"}}
            {"kind": "calendar", "case": {}}
            nonsense

            """
        let done = try call(["analyze", "--json-lines"], socket: "/nowhere", input: input)
        let lines = done.output.split(separator: "\n")
        try #require(lines.count == 6)
        #expect(lines[0] == #"{"value":300000000}"#)
        #expect(lines[1] == #"{"value":[["Unit","A","1"]]}"#)
        #expect(lines[2] == #"{"value":{"interface":"a.b","members":[["method","X"]]}}"#)
        #expect(lines[3].hasPrefix(#"{"error":""#))
        #expect(lines[4] == #"{"unsupported":true}"#)
        #expect(lines[5].hasPrefix(#"{"error":""#))
    }
}
