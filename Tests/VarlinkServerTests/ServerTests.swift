import LinuxSystem
import Synchronization
import Testing
import Varlink
import VarlinkClient
import VarlinkServer

@Suite(.serialized) struct ServerTests {
    @Test func `GetInfo lists the interfaces, and their texts can be had`() async throws {
        try await withServer { path, service, _ in
            var client = try VarlinkConnection(path: path)
            let info = try client.call("org.varlink.service.GetInfo")
            #expect(info["vendor"] == .string("faf"))
            #expect(info["interfaces"] == .array([.string("org.varlink.service"), .string("io.faf.Test")]))
            var wanted = JSONObject()
            wanted["interface"] = .string("io.faf.Test")
            let text = try client.call("org.varlink.service.GetInterfaceDescription", wanted)
            #expect(text["description"] == .string(service.interface.text))
        }
    }

    @Test func `calls written at once are answered in order`() async throws {
        try await withServer { path, _, _ in
            var client = try RawClient(path)
            var all = ""
            for number in 0..<300 {
                all += "{\"method\":\"io.faf.Test.Echo\",\"parameters\":{\"text\":\"\(number)\"}}\0"
            }
            try client.send(all)
            for number in 0..<300 { #expect(try client.reply()?.parameters["text"] == .string(String(number))) }
        }
    }

    @Test func `a brief call is run where it is read, and no other`() async throws {
        try await withServer { path, _, _ in
            var client = try VarlinkConnection(path: path)
            for _ in 0..<20 {
                #expect(try client.call("io.faf.Test.Brief")["onEventLoop"] == .bool(true))
                #expect(try client.call("io.faf.Test.Long")["onEventLoop"] == .bool(false))
            }
        }
    }

    @Test func `a call that comes byte by byte is answered as soon as it is whole`() async throws {
        try await withServer { path, _, _ in
            var client = try RawClient(path)
            let call = Array(#"{"method":"io.faf.Test.Echo","parameters":{"text":"é"}}"#.utf8) + [0]
            for byte in call + call + call[..<20] { try client.send([byte]) }
            for _ in 0..<2 { #expect(try client.reply()?.parameters["text"] == .string("é")) }
            try client.send(Array(call[20...]))
            #expect(try client.reply()?.parameters["text"] == .string("é"))
        }
    }

    @Test func `a slow call does not hold up other connections, and holds up its own`() async throws {
        try await withServer { path, _, _ in
            var slow = try RawClient(path)
            try slow.sendCall("Slow", #"{"milliseconds":300}"#)
            try slow.sendCall("Echo", #"{"text":"after"}"#)
            var quick = try VarlinkConnection(path: path)
            let start = ContinuousClock.now
            _ = try quick.call("io.faf.Test.Mark", ["name": "quick"])
            #expect(ContinuousClock.now - start < .milliseconds(200))
            #expect(try slow.reply()?.parameters["text"] == .string("slow"))
            #expect(try slow.reply()?.parameters["text"] == .string("after"))
        }
    }

    @Test func `a oneway call is executed and never answered`() async throws {
        try await withServer { path, service, _ in
            var client = try RawClient(path)
            try client.sendCall("Mark", #"{"name":"quiet"}"#, flags: #","oneway":true"#)
            try client.sendCall("Fail", flags: #","oneway":true"#)
            try client.sendCall("NoSuchMethod", flags: #","oneway":true"#)
            try client.sendCall("Mark", #"{"bad":1}"#, flags: #","oneway":true"#)
            try client.sendCall("Count", #"{"to":3}"#, flags: #","oneway":true"#)
            try client.sendCall("Echo", #"{"text":"loud"}"#)
            #expect(try client.reply()?.parameters["text"] == .string("loud"))
            #expect(try client.reply(within: 50) == nil)
            #expect(service.executed.withLock { $0 } == ["quiet", "Fail", "Count", "Echo"])
        }
    }

    @Test func `oneway calls of a client that has left are executed, other calls are not`() async throws {
        try await withServer { path, service, _ in
            do {
                let client = try RawClient(path)
                try client.sendCall("Slow", #"{"milliseconds":50}"#, flags: #","oneway":true"#)
                try client.sendCall("Mark", #"{"name":"with-reply"}"#)
                try client.sendCall("Mark", #"{"name":"oneway"}"#, flags: #","oneway":true"#)
            }
            #expect(await eventually { service.executed.withLock { $0.contains("oneway") } })
            #expect(!service.executed.withLock { $0.contains("with-reply") })
        }
    }

    @Test func `a stream continues until its last reply`() async throws {
        try await withServer { path, _, _ in
            var client = try VarlinkConnection(path: path)
            var numbers: [Int64?] = []
            try client.stream("io.faf.Test.Count", ["to": .integer(5)]) { reply in
                numbers.append(reply["number"]?.integerValue)
                return .goOn
            }
            #expect(numbers == [1, 2, 3, 4, 5])
            _ = try client.call("io.faf.Test.Mark", ["name": "after"])
        }
    }

    @Test func `a method that needs more says so`() async throws {
        try await withServer { path, _, _ in
            var client = try VarlinkConnection(path: path)
            for method in ["Count", "Endless"] {
                #expect(
                    throws: ClientError.refused(
                        CallError(name: "org.varlink.service.ExpectedMore", parameters: JSONObject()))
                ) {
                    try client.call("io.faf.Test." + method, method == "Count" ? ["to": .integer(2)] : JSONObject())
                }
            }
        }
    }

    @Test(arguments: [
        ("Echo", "{}", "text"), ("Echo", #"{"text":1}"#, "text"), ("Echo", #"{"text":null}"#, "text"),
        ("Echo", #"{"text":"a","extra":1}"#, "extra"), ("Echo", #"{"text":"a","pair":{}}"#, "pair.left"),
        ("Echo", #"{"text":"a","pair":{"left":1.5}}"#, "pair.left"),
        ("Echo", #"{"text":"a","pair":{"left":1,"x":1}}"#, "pair.x"), ("Echo", #"{"text":"a","object":[]}"#, "object"),
        ("Count", #"{"to":9223372036854775808}"#, "to"), ("Mark", #"{"name":true}"#, "name"),
    ])
    func `a parameter that does not fit is named, and nothing is executed`(
        method: String, parameters: String, field: String
    ) async throws {
        try await withServer { path, service, _ in
            var client = try RawClient(path)
            try client.sendCall(method, parameters)
            let reply = try client.reply()
            #expect(reply?.error == "org.varlink.service.InvalidParameter")
            #expect(reply?.parameters["parameter"] == .string(field))
            #expect(service.executed.withLock { $0.isEmpty })
            // An error ends the call, not the connection.
            try client.sendCall("Echo", #"{"text":"on","pair":null}"#)
            #expect(try client.reply()?.parameters["text"] == .string("on"))
        }
    }

    @Test func `unknown interfaces and methods are named`() async throws {
        try await withServer { path, _, _ in
            var client = try RawClient(path)
            func error(_ method: String) throws -> [JSON?] {
                try client.send("{\"method\":\"\(method)\"}\0")
                let reply = try client.reply()
                return [reply?.error.map(JSON.string), reply?.parameters["interface"] ?? reply?.parameters["method"]]
            }
            #expect(
                try error("io.nowhere.Do") == [.string("org.varlink.service.InterfaceNotFound"), .string("io.nowhere")])
            #expect(try error("Do") == [.string("org.varlink.service.InterfaceNotFound"), .string("Do")])
            #expect(
                try error("io.faf.Test.Do") == [
                    .string("org.varlink.service.MethodNotFound"), .string("io.faf.Test.Do"),
                ])
            #expect(
                try error("io.faf.Test.Pair") == [
                    .string("org.varlink.service.MethodNotFound"), .string("io.faf.Test.Pair"),
                ])
            #expect(
                try error("org.varlink.service.GetInterfaceDescription") == [
                    .string("org.varlink.service.InvalidParameter"), nil,
                ])
        }
    }

    @Test func `a call that sends nothing is answered with nothing, one that throws with its error`() async throws {
        try await withServer { path, _, _ in
            var client = try RawClient(path)
            try client.sendCall("Silent")
            #expect(try client.reply() == Reply())
            try client.sendCall("Fail")
            #expect(try client.reply()?.error == "io.faf.Test.Failed")
        }
    }

    @Test func `the caller is who the kernel says`() async throws {
        try await withServer { path, _, _ in
            var client = try VarlinkConnection(path: path)
            let own = try PeerCredentials.own()
            let seen = try client.call("io.faf.Test.WhoAmI")
            #expect(seen["uid"]?.integerValue == Int64(own.uid))
            #expect(seen["gid"]?.integerValue == Int64(own.gid))
            #expect(seen["groups"]?.arrayValue?.compactMap(\.integerValue) == own.groups.map(Int64.init))
        }
    }

    @Test func `a client that only writes and waits is answered`() async throws {
        try await withServer { path, _, _ in
            var client = try RawClient(path)
            try client.sendCall("Slow", #"{"milliseconds":50}"#)
            try client.sendCall("Echo", #"{"text":"two"}"#)
            client.endOutput()
            #expect(try client.reply()?.parameters["text"] == .string("slow"))
            #expect(try client.reply()?.parameters["text"] == .string("two"))
            #expect(try client.isClosed())
        }
    }

    @Test func `a call under way is cancelled when its client leaves`() async throws {
        try await withServer { path, service, server in
            do {
                let client = try RawClient(path)
                try client.sendCall("Sleep")
                #expect(await eventually { service.executed.withLock { $0 == ["Sleep"] } })
            }
            #expect(await eventually { service.cancelled.load(ordering: .relaxed) == 1 })
            #expect(await eventually { server.connectionCount == 0 })
        }
    }

    @Test func `a client that leaves while more calls wait ends all of them`() async throws {
        try await withServer { path, service, server in
            do {
                let client = try RawClient(path)
                try client.sendCall("Sleep")
                let later = #"{"method":"io.faf.Test.Mark","parameters":{"name":"later"}}"# + "\0"
                try client.send(String(repeating: later, count: 2000))
                #expect(await eventually { service.executed.withLock { $0 == ["Sleep"] } })
            }
            #expect(await eventually { server.connectionCount == 0 })
            #expect(service.executed.withLock { $0 } == ["Sleep"])
        }
    }

    @Test func `a stream ends when its client leaves`() async throws {
        try await withServer { path, service, server in
            do {
                var client = try RawClient(path)
                try client.sendCall("Endless", flags: #","more":true"#)
                for _ in 0..<10 { #expect(try client.reply()?.continues == true) }
            }
            #expect(await eventually { service.streaming.load(ordering: .relaxed) == 0 })
            #expect(await eventually { server.connectionCount == 0 })
        }
    }

    @Test func `a stream waits for a client that does not read`() async throws {
        try await withServer { path, service, _ in
            var client = try RawClient(path)
            try client.sendCall("Endless", #"{"size":10000}"#, flags: #","more":true"#)
            #expect(await eventually { service.sent.load(ordering: .relaxed) > 5 })
            var sent = -1
            while sent != service.sent.load(ordering: .relaxed) {
                sent = service.sent.load(ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(100))
            }
            // What the socket and the limit on unsent bytes hold, not more.
            #expect(sent < 100)
            for _ in 0..<(sent + 50) { #expect(try client.reply()?.continues == true) }
        }
    }

    @Test func `stopping the server ends calls, closes connections and returns`() async throws {
        let start = ContinuousClock.now
        var left: RawClient?
        try await withServer { path, service, _ in
            let client = try RawClient(path)
            try client.sendCall("Sleep")
            #expect(await eventually { service.executed.withLock { $0 == ["Sleep"] } })
            _ = try RawClient(path)
            left = consume client
        }
        #expect(ContinuousClock.now - start < .seconds(5))
        // The cancelled call still said how it ended.
        #expect(try left?.reply()?.error == "io.faf.Test.Failed")
        #expect(try left?.isClosed() == true)
    }

    @Test func `a call that takes its time is answered although the server stops`() async throws {
        var left: RawClient?
        try await withServer { path, service, _ in
            let client = try RawClient(path)
            try client.sendCall("Work", #"{"milliseconds":1500}"#)
            #expect(await eventually { service.executed.withLock { $0 == ["Work"] } })
            left = consume client
        }
        #expect(try left?.reply()?.parameters["text"]?.stringValue == "done")
    }

    @Test func `a client that does not read does not hold up the server's end`() async throws {
        var limits = Limits()
        limits.stopTime = .seconds(60)
        let start = ContinuousClock.now
        var left: RawClient?
        try await withServer(limits: limits) { path, service, _ in
            let client = try RawClient(path)
            try client.sendCall("Endless", #"{"size":10000}"#, flags: #","more":true"#)
            #expect(await eventually { service.sent.load(ordering: .relaxed) > 5 })
            var sent = -1
            while sent != service.sent.load(ordering: .relaxed) {
                sent = service.sent.load(ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(100))
            }
            left = consume client
        }
        #expect(ContinuousClock.now - start < .seconds(30))
        // Held until here.
        _ = consume left
    }
}
