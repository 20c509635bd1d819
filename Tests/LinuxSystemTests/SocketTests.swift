import LinuxSystem
import Testing

struct SocketTests {
    @Test func `a peer is known by the ids the kernel noted`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/s"
        let listener = try UnixSocket.listen(path: path, mode: 0o600)
        let client = try UnixSocket.connect(path: path)
        let server = try UnixSocket.accept(on: listener, nonblocking: true)
        let own = try PeerCredentials.own()
        for peer in [try PeerCredentials(ofSocket: server.rawValue), try PeerCredentials(ofSocket: client.rawValue)] {
            #expect(peer.uid == own.uid)
            #expect(peer.gid == own.gid)
            #expect(Set(peer.groups) == Set(own.groups))
            #expect(peer.pid == own.pid)
        }
    }

    @Test func `a path that an address cannot hold is refused by name`() {
        let path = "/tmp/" + String(repeating: "x", count: 103)
        #expect(path.utf8.count == UnixSocket.maximumPathLength + 1)
        let refusal = #expect(throws: SystemError.self) { _ = try UnixSocket.connect(path: path) }
        #expect(refusal?.description == "connect \(path): File name too long (ENAMETOOLONG)")
    }

    @Test func `a path with a NUL is refused, not cut`() throws {
        let directory = try TemporaryDirectory()
        let listener = try UnixSocket.listen(path: directory.path + "/s", mode: 0o600)
        _ = listener.rawValue
        #expect(throws: SystemError.self) { _ = try UnixSocket.connect(path: directory.path + "/s\0t") }
    }

    @Test func `descriptors travel with a message`() throws {
        let pair = try UnixSocket.pair(.packet)
        let file = try UnixSocket.pair(.stream)
        try pair.first.send([1, 2], descriptors: [file.first.rawValue])
        var message = try pair.second.receive(maximum: 16, maximumDescriptors: 1)
        let bytes = message.bytes
        #expect(bytes == [1, 2])
        let received = message.descriptors.next()
        guard let received else { Issue.record("no descriptor came"); return }
        try received.send([7])
        let arrived = try file.second.read(maximum: 4)
        #expect(arrived == [7])
    }

    @Test func `uninvited descriptors are closed`() throws {
        let pair = try UnixSocket.pair(.packet)
        let file = try UnixSocket.pair(.stream)
        let copies = [Int32](repeating: file.first.rawValue, count: 10)
        try pair.first.send([1], descriptors: copies)
        let message = try pair.second.receive(maximum: 16, maximumDescriptors: 0)
        let isTruncated = message.isTruncated
        #expect(isTruncated)
        let kept = message.descriptors.count
        #expect(kept == 0)
        file.split { first, second in
            _ = consume first
            do {
                let bytes = try second.read(maximum: 1)
                #expect(bytes.isEmpty)
            } catch { Issue.record(error) }
        }
    }

    @Test func `the end of a peer is an empty message`() throws {
        let pair = try UnixSocket.pair(.packet)
        pair.split { first, second in
            _ = consume first
            do {
                let message = try second.receive(maximum: 16)
                let bytes = message.bytes
                #expect(bytes.isEmpty)
            } catch { Issue.record(error) }
        }
    }
}
