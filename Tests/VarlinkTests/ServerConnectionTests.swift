import Testing
import Varlink

@Suite struct ServerConnectionTests {
    private func connection(_ text: String, limit: Int = 1000) -> ServerConnection {
        var connection = ServerConnection(messageLimit: limit)
        connection.receive(Array(text.utf8))
        return connection
    }

    private func wantsInput(_ connection: inout ServerConnection) -> Bool { connection.wantsInput() }

    private func frame(_ method: String, _ rest: String = "") -> String { "{\"method\":\"\(method)\"\(rest)}\0" }

    @Test func `calls come one at a time, in order`() {
        var connection = connection(frame("a.b.One") + frame("a.b.Two"))
        #expect(connection.next() == .call(Call(method: "a.b.One")))
        #expect(connection.next() == .needsInput)
        #expect(connection.isCalling)
        #expect(connection.reply(continues: false) == .send)
        #expect(!connection.isCalling)
        #expect(connection.next() == .call(Call(method: "a.b.Two")))
    }

    @Test func `a whole call is delivered while the next is partial`() {
        var connection = connection(frame("a.b.One") + #"{"meth"#)
        #expect(connection.next() == .call(Call(method: "a.b.One")))
        _ = connection.reply(continues: false)
        #expect(connection.next() == .needsInput)
        #expect(connection.isInsideMessage)
        connection.receive(Array("od\":\"a.b.Two\"}\u{0}".utf8))
        #expect(connection.next() == .call(Call(method: "a.b.Two")))
        #expect(!connection.isInsideMessage)
    }

    @Test func `a oneway call has no reply of any kind`() {
        var connection = connection(frame("a.b.One", #","oneway":true"#) + frame("a.b.Two"))
        _ = connection.next()
        #expect(connection.reply(continues: true) == .drop)
        #expect(connection.reply(continues: false) == .drop)
        #expect(connection.next() == .call(Call(method: "a.b.Two")))
    }

    @Test func `several replies need more`() {
        var connection = connection(frame("a.b.One") + frame("a.b.Two", #","more":true"#))
        _ = connection.next()
        #expect(connection.reply(continues: true) == .expectedMore)
        #expect(connection.isCalling)
        #expect(connection.reply(continues: false) == .send)
        _ = connection.next()
        #expect(connection.reply(continues: true) == .send)
        #expect(connection.reply(continues: true) == .send)
        #expect(connection.next() == .needsInput)
        #expect(connection.reply(continues: false) == .send)
        #expect(connection.reply(continues: false) == .notCalling)
    }

    @Test func `nothing behind a malformed message is looked at`() {
        var connection = connection(frame("a.b.One") + "garbage\0" + frame("a.b.Two"))
        #expect(connection.next() == .call(Call(method: "a.b.One")))
        _ = connection.reply(continues: false)
        guard case .end(.malformed) = connection.next() else { return #expect(Bool(false)) }
        #expect(!wantsInput(&connection))
        #expect(connection.pendingBytes == 0)
        connection.receive(Array(frame("a.b.Three").utf8))
        #expect(connection.next() == .end(.endOfInput))
    }

    @Test func `a message over the limit ends the connection before it is complete`() {
        var connection = connection(String(repeating: "x", count: 1001))
        #expect(connection.next() == .end(.tooLarge(limit: 1000)))
    }

    @Test func `what was whole before the end of input is still delivered`() {
        var connection = connection(frame("a.b.One") + frame("a.b.Two") + "{")
        connection.receiveEnd()
        #expect(connection.next() == .call(Call(method: "a.b.One")))
        _ = connection.reply(continues: false)
        #expect(connection.next() == .call(Call(method: "a.b.Two")))
        _ = connection.reply(continues: false)
        #expect(connection.next() == .end(.endOfInput))
    }

    @Test func `input is wanted until enough waits`() {
        var connection = ServerConnection(messageLimit: 100_000)
        #expect(wantsInput(&connection))
        connection.receive(Array((frame("a.b.One") + frame("a.b.Two")).utf8))
        _ = connection.next()
        #expect(wantsInput(&connection))
        connection.receive(Array(String(repeating: frame("a.b.Three"), count: 1000).utf8))
        #expect(!wantsInput(&connection))
        // One long message that is not complete is read to its end.
        var long = ServerConnection(messageLimit: 100_000)
        long.receive([UInt8](repeating: 0x20, count: 50_000))
        #expect(wantsInput(&long))
        long.receiveEnd()
        #expect(!wantsInput(&long))
    }

    @Test func `any fragmentation gives the same calls and the same end`() {
        let stream = Array(
            (frame("a.b.One") + frame("a.b.Two", #","oneway":true"#) + frame("a.b.Three") + "x\0" + frame("a.b.Four"))
                .utf8)
        for piece in 1...stream.count {
            var connection = ServerConnection(messageLimit: 1000)
            var methods: [String] = []
            var hasEnded = false
            for start in stride(from: 0, to: stream.count, by: piece) {
                connection.receive(stream[start..<min(start + piece, stream.count)])
                steps: while true {
                    switch connection.next() {
                    case .call(let call):
                        methods.append(call.method)
                        _ = connection.reply(continues: false)
                    case .needsInput: break steps
                    case .end:
                        hasEnded = true
                        break steps
                    }
                }
            }
            #expect(methods == ["a.b.One", "a.b.Two", "a.b.Three"])
            #expect(hasEnded)
        }
    }
}
