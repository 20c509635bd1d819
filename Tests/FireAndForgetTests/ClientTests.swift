import FafAPI
import FakeSupervisor
import Glibc
import Testing
import Varlink
import VarlinkClient

@testable import FireAndForget

struct ClientTests {
    @Test func `a fire sends task and parameters and returns the run`() throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.Fire.Reply(run: .sample(17))) }
        defer { fake.stop() }
        var parameters = JSONObject()
        parameters["n"] = .number("9007199254740993")
        let run = try Client(socketPath: fake.path).fire("count", parameters: parameters)
        #expect(run == .sample(17))
        #expect(fake.calls.map(\.method) == ["io.faf.Supervisor.Fire"])
        #expect(fake.calls[0].json.text == #"{"task":"count","parameters":{"n":9007199254740993}}"#)
    }

    @Test func `a fire that was sent already is answered from its connection, and sent again only if it was not read`()
        throws
    {
        for unread in [0, 1] {
            let fake = try FakeSupervisor(unread: unread) { call in
                call.name == "Fire"
                    ? .reply(Wire.Fire.Reply(run: .sample(17))) : .reply(Wire.GetRun.Reply(run: .sample(1)))
            }
            defer { fake.stop() }
            var connection = try VarlinkConnection(path: fake.path)
            let descriptor = dup(connection.descriptor)
            try connection.callOneway("io.faf.Supervisor.Fire", ["task": .string("t")])
            let client = Client(socketPath: fake.path)
            #expect(try client.fire("t", sentOn: descriptor) == .sample(17))
        }
    }

    @Test func `calls one after another use one connection`() throws {
        let fake = try FakeSupervisor { call in
            call.name == "GetRun" ? .reply(Wire.GetRun.Reply(run: .sample(1))) : .reply(Wire.ListTasks.Reply(tasks: []))
        }
        defer { fake.stop() }
        let client = Client(socketPath: fake.path)
        for _ in 0..<5 { _ = try client.run(1) }
        #expect(try client.tasks() == [])
        #expect(fake.connections == 1)
    }

    @Test func `a refusal is thrown with what it said, and the connection goes on`() throws {
        let fake = try FakeSupervisor { call in
            call.name == "Fire"
                ? .refuse(Wire.PermissionDenied(message: "bob may not", remedy: "ask", setting: "AllowUsers="))
                : .reply(Wire.GetRun.Reply(run: .sample(1)))
        }
        defer { fake.stop() }
        let client = Client(socketPath: fake.path)
        let error = #expect(throws: FafError.self) { try client.fire("t") }
        #expect(error?.code == .permissionDenied)
        #expect(error?.message == "bob may not")
        #expect(error?.remedy == "ask")
        #expect(error?.details["setting"] == .string("AllowUsers="))
        _ = try client.run(1)
        #expect(fake.connections == 1)
    }

    @Test func `errors are equal by their code`() {
        #expect(FafError(.noSuchRun, "a") == FafError(.noSuchRun, "b"))
        #expect(FafError(.noSuchRun, "a") != FafError(.noSuchTask, "a"))
    }

    @Test func `an error of a newer fafd keeps its name and its texts`() throws {
        let fake = try FakeSupervisor { _ in
            .failure(
                "io.faf.Supervisor.TooHot", .object(["message": .string("too hot"), "remedy": .string("cool it")]))
        }
        defer { fake.stop() }
        let error = #expect(throws: FafError.self) { try Client(socketPath: fake.path).fire("t") }
        #expect(error?.code == FafError.Code("TooHot"))
        #expect(error?.description == "too hot (cool it)")
    }

    @Test func `nobody there is said with the path and what to do`() {
        let error = #expect(throws: FafError.self) { try Client(socketPath: "/nowhere/fafd.sock").info() }
        #expect(error?.code == .noDaemon)
        #expect(error?.message.contains("/nowhere/fafd.sock") == true)
        #expect(error?.remedy.isEmpty == false)
    }

    @Test func `a fire whose connection ends is not sent again`() throws {
        let fake = try FakeSupervisor { _ in .hangUp }
        defer { fake.stop() }
        let error = #expect(throws: FafError.self) { try Client(socketPath: fake.path).fire("t") }
        #expect(error?.code == .connectionLost)
        #expect(error?.remedy.contains("faf list") == true)
        #expect(fake.calls.count == 1)
    }

    @Test func `a call that was never read is sent again`() throws {
        let fake = try FakeSupervisor(unread: 3) { _ in .reply(Wire.Fire.Reply(run: .sample(7))) }
        defer { fake.stop() }
        let run = try Client(socketPath: fake.path).fire("t")
        #expect(run.number == 7)
        #expect(fake.calls.count == 1)
        #expect(fake.connections == 4)
    }

    @Test func `a stream whose call was never read is asked for again`() throws {
        let fake = try FakeSupervisor(unread: 2) { _ in .reply(Wire.Wait.Reply(runs: [.sample(7)])) }
        defer { fake.stop() }
        #expect(try Client(socketPath: fake.path).wait(for: [7]).map(\.number) == [7])
        #expect(fake.calls.count == 1)
        #expect(fake.connections == 3)
    }

    @Test func `a stream that ends in the middle is not asked for again`() throws {
        let fake = try FakeSupervisor { _ in .repliesThenHangUp([Wire.Wait.Reply(runs: [.sample(1)]).json]) }
        defer { fake.stop() }
        #expect(throws: FafError(.connectionLost, "")) { try Client(socketPath: fake.path).wait(for: [1, 2]) }
        #expect(fake.calls.count == 1)
    }

    @Test func `a question whose connection ends is asked again`() throws {
        let fake = try FakeSupervisor { call, number in
            switch call.name {
            case _ where number % 2 == 1: .hangUp
            case "ListRuns": .reply(Wire.ListRuns.Reply(runs: [.sample(8)]))
            default: .reply(Wire.GetRun.Reply(run: .sample(7)))
            }
        }
        defer { fake.stop() }
        let client = Client(socketPath: fake.path)
        #expect(try client.run(7).number == 7)
        #expect(try client.runs().map(\.number) == [8])
        #expect(fake.calls.map(\.name) == ["GetRun", "GetRun", "ListRuns", "ListRuns"])
    }

    @Test func `a question that ends fafd each time is not asked for ever`() throws {
        let fake = try FakeSupervisor { _ in .hangUp }
        defer { fake.stop() }
        #expect(throws: FafError(.connectionLost, "")) { try Client(socketPath: fake.path).run(1) }
        #expect(fake.calls.count == 3)
    }

    @Test func `asking again takes no longer than asking once`() throws {
        final class Clock { var now = ContinuousClock.now }
        let clock = Clock()
        var resending = Resending(.question, .seconds(30), nil, now: { clock.now })
        #expect(resending.timeLeft == .seconds(30))
        clock.now += .seconds(20)
        let early = resending.mayGoAgain(after: .connectionClosed)
        #expect(early && resending.timeLeft == .seconds(10))
        // What a fafd that is there can say in a second is better than to have given up.
        clock.now += .milliseconds(9_900)
        let late = resending.mayGoAgain(after: .connectionClosedUnread)
        #expect(late && resending.timeLeft == .seconds(1))
        clock.now += .milliseconds(100)
        let tooLate = resending.mayGoAgain(after: .connectionClosedUnread)
        #expect(!tooLate)
        #expect(Resending(.vigil, nil, nil).timeLeft == nil)
    }

    @Test func `a list that ends in the middle is not asked for again`() throws {
        let fake = try FakeSupervisor { _ in .repliesThenHangUp([Wire.ListRuns.Reply(runs: [.sample(1)]).json]) }
        defer { fake.stop() }
        #expect(throws: FafError(.connectionLost, "")) { try Client(socketPath: fake.path).runs() }
        #expect(fake.calls.count == 1)
    }

    @Test func `whoever waits is told that fafd went away`() throws {
        let fake = try FakeSupervisor { _ in .hangUp }
        defer { fake.stop() }
        #expect(throws: FafError(.connectionLost, "")) { try Client(socketPath: fake.path).wait(for: [1]) }
        #expect(fake.calls.count == 1)
    }

    @Test func `a call that is never read has had no effect`() throws {
        let fake = try FakeSupervisor(unread: .max) { _ in .hangUp }
        defer { fake.stop() }
        let client = Client(socketPath: fake.path, timeout: .milliseconds(200))
        let error = #expect(throws: FafError.self) { try client.fire("t") }
        #expect(error?.code == .connectionLost)
        #expect(error?.remedy == "try again")
    }

    @Test func `a connection that fafd closed meanwhile is replaced`() throws {
        let fake = try FakeSupervisor { call in
            call.name == "GetRun" ? .reply(Wire.GetRun.Reply(run: .sample(1))) : .hangUp
        }
        defer { fake.stop() }
        let client = Client(socketPath: fake.path)
        _ = try client.run(1)
        #expect(throws: FafError(.connectionLost, "")) { try client.reload() }
        _ = try client.run(1)
        #expect(fake.connections == 2)
    }

    @Test func `an answer that does not come in time is an error`() throws {
        let fake = try FakeSupervisor { _ in .replies([]) }
        defer { fake.stop() }
        let client = Client(socketPath: fake.path, timeout: .milliseconds(50))
        #expect(throws: FafError(.timedOut, "")) { try client.info() }
    }

    @Test func `an answer that does not fit the description is an error`() throws {
        let fake = try FakeSupervisor { _ in .replies([.object(["run": .object(["number": .string("x")])])]) }
        defer { fake.stop() }
        let error = #expect(throws: FafError.self) { try Client(socketPath: fake.path).run(1) }
        #expect(error?.code == .badReply)
        #expect(error?.message.contains("run.number") == true)
    }

    @Test func `garbage is an error and no crash`() throws {
        let fake = try FakeSupervisor { _ in .raw(Array("{\"parameters\": \u{7f}\0".utf8)) }
        defer { fake.stop() }
        #expect(throws: FafError(.badReply, "")) { try Client(socketPath: fake.path).run(1) }
    }

    @Test func `lists come in parts and are put together`() throws {
        let fake = try FakeSupervisor { _ in
            .reply(Wire.ListRuns.Reply(runs: [.sample(3), .sample(2)]), Wire.ListRuns.Reply(runs: [.sample(1)]))
        }
        defer { fake.stop() }
        let runs = try Client(socketPath: fake.path).runs(task: "count", limit: -1)
        #expect(runs.map(\.number) == [3, 2, 1])
        #expect(fake.calls[0].more)
        #expect(fake.calls[0].json.text == #"{"task":"count","limit":-1}"#)
    }

    @Test func `a wait hands over each run as it ends, and stops when told to`() throws {
        let fake = try FakeSupervisor { _ in
            .reply(
                Wire.Wait.Reply(runs: [.sample(2, state: "failed")]), Wire.Wait.Reply(runs: [.sample(1)]),
                Wire.Wait.Reply(runs: []))
        }
        defer { fake.stop() }
        let client = Client(socketPath: fake.path)
        #expect(try client.wait(for: [1, 2]).map(\.number) == [2, 1])
        var seen: [Int64] = []
        try client.wait(for: [1, 2]) { run in
            seen.append(run.number)
            return .stop
        }
        #expect(seen == [2])
        _ = try client.wait(for: [1, 2])
        #expect(fake.connections == 2, "a stopped stream cannot carry the next call")
    }
}

struct SocketLocationTests {
    private func find(_ variables: [String: String], explicit: String? = nil, user: Bool = false) -> String {
        SocketLocation.find(explicit: explicit, user: user) { variables[$0] }
    }

    @Test func `what was asked for wins`() {
        let variables = ["FAF_SOCKET": "/a", "FAF_USER": "1", "XDG_RUNTIME_DIR": "/run/user/7"]
        #expect(find(variables, explicit: "/x", user: true) == "/x")
        #expect(find(variables) == "/run/user/7/faf/fafd.sock")
        #expect(find(["FAF_SOCKET": "/a", "XDG_RUNTIME_DIR": "/r"], user: true) == "/r/faf/fafd.sock")
        #expect(find(["FAF_SOCKET": "/a", "FAF_USER": "0"]) == "/a")
        #expect(find(["FAF_SOCKET": ""]) == "/run/faf/fafd.sock")
        #expect(find([:]) == "/run/faf/fafd.sock")
    }

    @Test func `without XDG_RUNTIME_DIR a user's socket is where logind would put it`() {
        #expect(find([:], user: true) == "/run/user/\(getuid())/faf/fafd.sock")
        #expect(find(["XDG_RUNTIME_DIR": "relative"], user: true) == "/run/user/\(getuid())/faf/fafd.sock")
    }
}
