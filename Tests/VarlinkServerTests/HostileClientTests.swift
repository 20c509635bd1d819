import Glibc
import LinuxSystem
import Synchronization
import Testing
import Varlink
import VarlinkClient
import VarlinkServer

extension ServerTests {

    @Test(arguments: [
        "garbage\0", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n\0", "\0", "[]\0", "42\0", #"{"parameters":{}}"# + "\0",
        #"{"method":1}"# + "\0", #"{"method":"io.faf.Test.Mark","parameters":[]}"# + "\0",
        #"{"method":"io.faf.Test.Mark","parameters":{"name":"x"}"# + "\0",
        #"{"method":"io.faf.Test.Mark","parameters":{"name":"x"}}x"# + "\0",
        #"{"method":"io.faf.Test.Mark","parameters":{"name":"x"},"oneway":1}"# + "\0",
        #"{"method":"io.faf.Test.Mark","parameters":{"name":"x"},"oneway":true,"more":true}"# + "\0",
        #"{"method":"io.faf.Test.Mark","method":"io.faf.Test.Mark","parameters":{"name":"x"}}"# + "\0",
    ])
    func `a valid call behind something malformed is never executed`(garbage: String) async throws {
        try await withServer { path, service, server in
            for split in [false, true] {
                var client = try RawClient(path)
                let call = #"{"method":"io.faf.Test.Mark","parameters":{"name":"behind"}}"# + "\0"
                if split {
                    try client.send(garbage)
                    try? client.send(call)
                } else {
                    try client.send(garbage + call)
                }
                #expect(try client.isClosed())
            }
            #expect(await eventually { server.connectionCount == 0 })
            #expect(service.executed.withLock { $0.isEmpty })
        }
    }

    @Test(arguments: [
        (#"{"name":"a","name":"b"}"#, "name"), (#"{"name":"\ud800"}"#, "name"),
        (#"{"name":"a","object":{"x":1,"x":2}}"#, "object.x"),
        ("{\"name\":\"a\u{1}\"}", "name"),
    ])
    func `a parameter that no JSON may hold is named before the connection ends`(
        parameters: String, field: String
    ) async throws {
        try await withServer { path, service, _ in
            var client = try RawClient(path)
            try client.sendCall("Mark", parameters)
            let reply = try client.reply()
            #expect(reply?.error == "org.varlink.service.InvalidParameter")
            #expect(reply?.parameters["parameter"] == .string(field))
            #expect(try client.isClosed())
            #expect(service.executed.withLock { $0.isEmpty })
        }
    }

    @Test func `a message that is too large is refused by name while others are served`() async throws {
        try await withServer { path, service, _ in
            let started = Mutex(false)
            let large = Task.detached {
                var client = try VarlinkConnection(path: path)
                started.withLock { $0 = true }
                var parameters = JSONObject()
                parameters["name"] = .string(String(repeating: "x", count: 2 << 20))
                do throws(ClientError) {
                    _ = try client.call("io.faf.Test.Mark", parameters)
                    return "answered"
                } catch .refused(let error) {
                    return error.name
                } catch {
                    return "\(error)"
                }
            }
            #expect(await eventually { started.withLock { $0 } })
            var other = try VarlinkConnection(path: path)
            for _ in 0..<100 { _ = try other.call("io.faf.Test.Mark", ["name": "other"], timeout: .seconds(1)) }
            #expect(try await large.value == "io.faf.Supervisor.LimitReached")
            #expect(service.executed.withLock { Set($0) } == ["other"])
            // The limit itself is allowed.
            let frame = #"{"method":"io.faf.Test.Mark","parameters":{"name":""}}"#
            let padded =
                #"{"method":"io.faf.Test.Mark","parameters":{"name":""#
                + String(repeating: "x", count: (1 << 20) - frame.utf8.count) + #""}}"#
            var client = try RawClient(path)
            try client.send(padded + "\0")
            #expect(try client.reply() == Reply())
        }
    }

    @Test func `descriptors that nobody asked for are closed`() async throws {
        try await withServer { path, _, _ in
            var client = try RawClient(path)
            try client.sendCall("Echo", #"{"text":"warm"}"#)
            _ = try client.reply()
            let pair = try UnixSocket.pair(.stream)
            for _ in 0..<20 {
                let call = Array(#"{"method":"io.faf.Test.Echo","parameters":{"text":"x"}}"#.utf8) + [0]
                try client.socket.send(call, descriptors: Array(repeating: pair.second.rawValue, count: 10))
                #expect(try client.reply()?.parameters["text"] == .string("x"))
            }
            #expect(try descriptors(sharing: pair.second.rawValue) == [pair.second.rawValue])
        }
    }

    @Test func `a message that stays unfinished is ended, a silent connection is not`() async throws {
        var limits = Limits()
        limits.messageTime = .milliseconds(200)
        try await withServer(limits: limits) { path, _, server in
            var silent = try RawClient(path)
            var half = try RawClient(path)
            try half.sendCall("Echo", #"{"text":"x"}"#)
            #expect(try half.reply() != nil)
            try half.send(#"{"method":"#)
            let reply = try half.reply(within: 5000)
            #expect(reply?.error == "io.faf.Supervisor.LimitReached")
            #expect(reply?.parameters["limit"] == .string("message-time"))
            #expect(try half.isClosed())
            #expect(await eventually { server.connectionCount == 1 })
            try silent.sendCall("Echo", #"{"text":"still here"}"#)
            #expect(try silent.reply()?.parameters["text"] == .string("still here"))
        }
    }

    @Test func `a client that writes without reading is made to wait`() async throws {
        try await withServer { path, service, _ in
            let client = try RawClient(path)
            try client.socket.setNonblocking(true)
            let call =
                Array(
                    #"{"method":"io.faf.Test.Echo","parameters":{"text":"\#(String(repeating: "x", count: 1000))"}}"#
                        .utf8) + [0]
            var written = 0
            var idle = 0
            while idle < 50 && written < 64 << 20 {
                if let count = try? client.socket.send(call) {
                    written += count
                    idle = 0
                } else {
                    idle += 1
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            #expect(written < 4 << 20)
            #expect(service.executed.withLock { $0.count } < 2000)
            var other = try VarlinkConnection(path: path)
            _ = try other.call("io.faf.Test.Mark", ["name": "other"], timeout: .seconds(1))
        }
    }

    // Both ends of each are in this process, and only half of all descriptors are for clients, half of those for one user.
    @Test(.enabled(if: raiseDescriptorLimit() >= 10_000, "needs a hard limit of 10000 descriptors (RLIMIT_NOFILE)"))
    func `2000 idle connections do not slow down a call`() async throws {
        var limits = Limits()
        limits.connections = 5000
        limits.connectionsPerUser = 2500
        try await withServer(limits: limits) { path, _, server in
            var idle: [Int32] = []
            defer { for descriptor in idle { close(descriptor) } }
            for _ in 0..<2000 { idle.append(try UnixSocket.connect(path: path).release()) }
            #expect(await eventually { server.connectionCount == 2000 })
            var client = try VarlinkConnection(path: path)
            _ = try client.call("io.faf.Test.Mark", ["name": "warm"])
            let start = ContinuousClock.now
            for _ in 0..<100 { _ = try client.call("io.faf.Test.Mark", ["name": "timed"]) }
            #expect(ContinuousClock.now - start < .seconds(1))
        }
    }

    @Test func `unfinished messages of one user have a limit`() async throws {
        var limits = Limits()
        limits.pendingBytesPerUser = 1 << 20
        try await withServer(limits: limits) { path, service, _ in
            var clients: [Int32] = []
            defer { for descriptor in clients { close(descriptor) } }
            let part =
                Array(#"{"method":"io.faf.Test.Mark","parameters":{"name":""#.utf8)
                + [UInt8](repeating: 0x78, count: 400_000)
            var refused = 0
            for _ in 0..<4 {
                let socket = try UnixSocket.connect(path: path)
                try? socket.writeAll(part)
                try await Task.sleep(for: .milliseconds(100))
                if try socket.waitUntilReadable(milliseconds: 0) {
                    #expect(
                        String(decoding: try socket.read(maximum: 4096), as: UTF8.self).contains(
                            "pending-bytes-per-user"))
                    refused += 1
                }
                clients.append(socket.release())
            }
            #expect(refused == 2)
            // Small messages go through all the same.
            var other = try VarlinkConnection(path: path)
            _ = try other.call("io.faf.Test.Mark", ["name": "small"], timeout: .seconds(1))
        }
    }

    @Test func `limits shrink to what the descriptors allow`() {
        let small = Limits().fitting(descriptors: 64)
        #expect(small.connections == 32)
        #expect(small.connectionsForRoot == 8)
        #expect(small.connectionsPerUser == 12)
        let large = Limits().fitting(descriptors: 524_288)
        #expect(large.connections == 10_000)
        #expect(large.connectionsPerUser == 256)
    }

    @Test(.enabled(if: getuid() == 0, "needs another user"))
    func `one user's connections have a limit, and root is served beside them`() async throws {
        var limits = Limits()
        limits.connectionsPerUser = 8
        limits.connections = 20
        limits.connectionsForRoot = 5
        try await withServer(limits: limits) { path, _, server in
            let first = try connections(30, to: path, user: 2001)
            defer { first.end() }
            let second = try connections(30, to: path, user: 2002)
            defer { second.end() }
            #expect(await eventually { server.connectionCount == 14 })
            #expect(first.refusal.contains("connections-per-user"))
            var root: [Int32] = []
            defer { for descriptor in root { close(descriptor) } }
            for _ in 0..<4 { root.append(try UnixSocket.connect(path: path).release()) }
            var client = try VarlinkConnection(path: path)
            _ = try client.call("io.faf.Test.Mark", ["name": "root"], timeout: .seconds(1))
        }
    }

    @Test func `clients that write much and leave without reading leave nothing behind`() async throws {
        try await withServer { path, service, server in
            let info =
                #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"io.faf.Test"}}"#
            let stream = #"{"method":"io.faf.Test.Endless","parameters":{"size":50000},"more":true}"#
            for number in 0..<200 {
                let client = try RawClient(path)
                let calls = String(repeating: info + "\0", count: 300) + stream + "\0"
                try? client.socket.setNonblocking(true)
                _ = try? client.socket.send(Array((number.isMultiple(of: 2) ? calls : stream + "\0" + calls).utf8))
                if number.isMultiple(of: 3) { try await Task.sleep(for: .milliseconds(1)) }
            }
            #expect(await eventually { server.connectionCount == 0 })
            #expect(await eventually { service.streaming.load(ordering: .relaxed) == 0 })
        }
    }

    @Test func `random messages neither stop the server nor execute anything but calls`() async throws {
        try await withServer { path, _, server in
            var random = SystemRandomNumberGenerator()
            let seed = Array(#"{"method":"io.faf.Test.Echo","parameters":{"text":"x"},"more":true}"#.utf8) + [0]
            for _ in 0..<300 {
                let client = try RawClient(path)
                var bytes = seed + seed
                for _ in 0..<Int.random(in: 0...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                try? client.send(bytes)
            }
            #expect(await eventually { server.connectionCount == 0 })
            var client = try VarlinkConnection(path: path)
            _ = try client.call("io.faf.Test.Mark", ["name": "alive"])
        }
    }
}

/// Those of this process that are the same socket; a count of all would also see what other tests open and close.
private func descriptors(sharing socket: Int32) throws -> [Int32] {
    var wanted = stat()
    try #require(fstat(socket, &wanted) == 0)
    let directory = try #require(opendir("/proc/self/fd"))
    defer { closedir(directory) }
    var found: [Int32] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        var status = stat()
        if let number = Int32(name), fstat(number, &status) == 0, status.st_dev == wanted.st_dev,
            status.st_ino == wanted.st_ino
        {
            found.append(number)
        }
    }
    return found
}

/// The soft limit of this process, as high as this test needs it and the hard one allows.
private func raiseDescriptorLimit() -> UInt {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 20_000))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit.rlim_cur
}

/// A process of another user that holds connections.
private struct OtherUser {
    let process: pid_t
    let input: Int32
    /// What the first refused connection was told.
    let refusal: String

    func end() {
        close(input)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }
}

private func connections(_ count: Int, to path: String, user: UInt32) throws -> OtherUser {
    let program = """
        import socket, sys, os
        os.setgroups([]); os.setgid(\(user)); os.setuid(\(user))
        held = []
        for n in range(\(count)):
            s = socket.socket(socket.AF_UNIX); s.connect("\(path)"); held.append(s)
        told = b""
        for s in held:
            s.settimeout(0.05)
            try: told = told or s.recv(4096)
            except OSError: pass
        os.write(1, told + b"\\n")
        sys.stdin.read()
        """
    // Close-on-exec, so that only the copies at 0 and 1 reach the other process.
    let input = try UnixSocket.pair(.stream)
    let output = try UnixSocket.pair(.stream)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.second.rawValue, 0)
    posix_spawn_file_actions_adddup2(&actions, output.second.rawValue, 1)
    let words: [String] = ["python3", "-c", program]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    try #require(posix_spawnp(&process, "/usr/bin/python3", &actions, nil, &arguments, environ) == 0)
    let refusal = String(decoding: try output.first.read(maximum: 4096), as: UTF8.self)
    let held = try input.first.duplicated().release()
    return OtherUser(process: process, input: held, refusal: refusal)
}
