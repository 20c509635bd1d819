import LinuxSystem
import Logging
import Testing

@testable import Journal

@Suite struct JournalSocketTests {
    @Test func `fields are lines, and values with newlines have their length`() {
        var entry = JournalEntry()
        entry.add("MESSAGE", "a=b")
        entry.add("FAF_TEXT", "x\ny")
        entry.add("_TRUSTED", "no")
        entry.add("lower", "no")
        #expect(entry.bytes == Array("MESSAGE=a=b\nFAF_TEXT\n".utf8) + [3, 0, 0, 0, 0, 0, 0, 0] + Array("x\ny\n".utf8))
    }

    @Test func `without journald entries wait, and the oldest are dropped and counted`() {
        let socket = JournalSocket(path: "/nonexistent/socket")
        var entry = JournalEntry()
        entry.add("MESSAGE", "x")
        for _ in 0..<JournalSocket.limit + 5 { socket.send(entry) }
        #expect(socket.dropped == 5)
    }

    @Test func `names in capitals are the journal's`() {
        #expect(JournalLogHandler.isField("FAF_RUN"))
        #expect(!JournalLogHandler.isField("path"))
    }
}
