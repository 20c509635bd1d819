import Glibc
import LinuxSystem
import Testing
import Varlink
import VarlinkClient

@Suite struct ConnectionTests {
    /// A listener, and a connection to it whose other end the test plays.
    private func withPeer(
        _ body: (inout VarlinkConnection, borrowing OwnedDescriptor) throws -> Void
    ) throws {
        let path = temporaryPath()
        let listener = try UnixSocket.listen(path: path, mode: 0o600)
        defer { unlink(path) }
        var client = try VarlinkConnection(path: path, timeout: .seconds(5))
        let peer = try UnixSocket.accept(on: listener, nonblocking: false)
        try body(&client, peer)
    }

    /// The other end of the next connection: waits for a call, reads it or not, and is gone.
    private func hangUp(_ listener: Int32, reading: Bool) throws {
        try SystemThread.start(name: "peer") {
            let peer = accept(listener, nil, nil)
            var request = pollfd(fd: peer, events: Int16(POLLIN), revents: 0)
            _ = poll(&request, 1, 5000)
            var bytes = [UInt8](repeating: 0, count: 4096)
            if reading { _ = recv(peer, &bytes, bytes.count, 0) }
            close(peer)
        }
    }

    private func temporaryPath() -> String { "/tmp/faf-client-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).sock" }

    @Test func `no socket, nobody listening and a path that is too long are told apart`() throws {
        let path = temporaryPath()
        #expect(throws: ConnectError.noSuchSocket(path: path)) { _ = try VarlinkConnection(path: path) }
        #expect(throws: ConnectError.noSuchSocket(path: "")) { _ = try VarlinkConnection(path: "") }
        let below = "/etc/passwd/x"
        #expect(throws: ConnectError.noSuchSocket(path: below)) { _ = try VarlinkConnection(path: below) }
        let long = "/" + String(repeating: "x", count: 107)
        #expect(throws: ConnectError.pathTooLong(path: long)) { _ = try VarlinkConnection(path: long) }
        do { _ = try UnixSocket.listen(path: path, mode: 0o600) }
        defer { unlink(path) }
        #expect(throws: ConnectError.refused(path: path)) { _ = try VarlinkConnection(path: path) }
    }

    @Test func `a full backlog ends with the timeout`() throws {
        let path = temporaryPath()
        let listener = try UnixSocket.listen(path: path, mode: 0o600, backlog: 0)
        defer { unlink(path) }
        _ = listener.rawValue
        let first = try VarlinkConnection(path: path)
        _ = first.descriptor
        #expect(throws: ConnectError.timedOut(path: path)) {
            _ = try VarlinkConnection(path: path, timeout: .milliseconds(50))
        }
    }

    @Test func `a call sends one message and returns the parameters of its reply`() throws {
        try withPeer { client, peer in
            // What does not belong to the reply is the next one's.
            try peer.writeAll(Array("{\"parameters\":{\"a\":\"b\"},\"unknown\":1}\u{0}{\"parameters\":".utf8))
            #expect(try client.call("a.b.C", ["x": "y"]) == ["a": "b"])
            #expect(
                try peer.read(maximum: 1000) == Array("{\"method\":\"a.b.C\",\"parameters\":{\"x\":\"y\"}}\u{0}".utf8))
            try peer.writeAll(Array("{}}\u{0}".utf8))
            #expect(try client.call("a.b.C") == [:])
        }
    }

    @Test func `an error has its name and parameters, and the connection goes on`() throws {
        try withPeer { client, peer in
            try peer.writeAll(Array("{\"error\":\"a.b.E\",\"parameters\":{\"message\":\"no\"}}\u{0}{}\u{0}".utf8))
            let expected = CallError(name: "a.b.E", parameters: ["message": "no"])
            #expect(throws: ClientError.refused(expected)) { try client.call("a.b.C") }
            #expect(ClientError.refused(expected).description == "no")
            #expect(try client.call("a.b.C") == [:])
        }
    }

    @Test func `a stream ends with its last reply, with an error, or when its reader has enough`() throws {
        try withPeer { client, peer in
            try peer.writeAll(Array(#"{"parameters":{"n":1},"continues":true}"#.utf8) + [0])
            try peer.writeAll(Array(#"{"parameters":{"n":2}}"#.utf8) + [0])
            var seen: [Int64?] = []
            try client.stream("a.b.S") { reply in
                seen.append(reply["n"]?.integerValue)
                return .goOn
            }
            #expect(seen == [1, 2])
            try peer.writeAll(
                Array(#"{"parameters":{"n":3},"continues":true}"#.utf8) + [0] + Array(#"{"error":"a.b.E"}"#.utf8) + [0])
            #expect(throws: ClientError.refused(CallError(name: "a.b.E", parameters: [:]))) {
                try client.stream("a.b.S") { _ in .goOn }
            }
            try peer.writeAll(Array(#"{"parameters":{"n":4},"continues":true}"#.utf8) + [0])
            try client.stream("a.b.S") { _ in .stop }
            #expect(throws: ClientError.connectionClosed) { try client.call("a.b.C") }
        }
    }

    @Test func `no answer in time ends the connection`() throws {
        try withPeer { client, peer in
            _ = peer.rawValue
            let start = ContinuousClock.now
            #expect(throws: ClientError.timedOut) { try client.call("a.b.C", timeout: .milliseconds(50)) }
            #expect(ContinuousClock.now - start >= .milliseconds(50))
            #expect(throws: ClientError.connectionClosed) { try client.call("a.b.C") }
        }
    }

    @Test func `a peer that does not read ends with the timeout`() throws {
        try withPeer { client, peer in
            _ = peer.rawValue
            let large: JSONObject = ["x": .string(String(repeating: "x", count: 4 << 20))]
            #expect(throws: ClientError.timedOut) { try client.call("a.b.C", large, timeout: .milliseconds(50)) }
        }
    }

    @Test func `what a peer says before it hangs up is heard`() throws {
        let path = temporaryPath()
        let listener = try UnixSocket.listen(path: path, mode: 0o600)
        defer { unlink(path) }
        var client = try VarlinkConnection(path: path)
        do {
            let peer = try UnixSocket.accept(on: listener, nonblocking: false)
            try peer.writeAll(Array(#"{"error":"a.b.LimitReached"}"#.utf8) + [0])
        }
        #expect(throws: ClientError.refused(CallError(name: "a.b.LimitReached", parameters: [:]))) {
            try client.call("a.b.C")
        }
        #expect(throws: ClientError.connectionClosedUnread) { try client.call("a.b.C") }
    }

    @Test func `a peer that hangs up without reading has done nothing`() throws {
        let path = temporaryPath()
        let listener = try UnixSocket.listen(path: path, mode: 0o600)
        defer { unlink(path) }
        var client = try VarlinkConnection(path: path)
        try hangUp(listener.rawValue, reading: false)
        #expect(throws: ClientError.connectionClosedUnread) { try client.call("a.b.C") }
    }

    @Test func `a peer that hangs up after reading may have done it`() throws {
        let path = temporaryPath()
        let listener = try UnixSocket.listen(path: path, mode: 0o600)
        defer { unlink(path) }
        var client = try VarlinkConnection(path: path)
        try hangUp(listener.rawValue, reading: true)
        #expect(throws: ClientError.connectionClosed) { try client.call("a.b.C") }
    }

    @Test(arguments: ["nonsense\0", "[]\0", #"{"parameters":1}"# + "\0", #"{"parameters":{},"continues":true}"# + "\0"])
    func `what is no reply ends the connection`(text: String) throws {
        try withPeer { client, peer in
            try peer.writeAll(Array(text.utf8))
            #expect {
                try client.call("a.b.C")
            } throws: { error in
                if case .badReply = error as? ClientError { true } else { false }
            }
            #expect(throws: ClientError.connectionClosed) { try client.call("a.b.C") }
        }
    }

    @Test func `a oneway call waits for nothing`() throws {
        try withPeer { client, peer in
            try client.callOneway("a.b.C")
            #expect(try peer.read(maximum: 1000) == Array(#"{"method":"a.b.C","oneway":true}"#.utf8) + [0])
        }
    }
}
