import TaskModel
import Testing

@testable import Journal

@Suite struct LineJoinerTests {
    private var joiner = LineJoiner()

    private mutating func take(_ text: String, _ lineBreak: String? = nil, stream: String? = "s") -> [String] {
        joiner.take(
            OutputLine(text: "", run: RunID(rawValue: 1)), Array(text.utf8), stream: stream, lineBreak: lineBreak
        ).map(\.text)
    }

    @Test mutating func `what journald cuts is one line again`() {
        #expect(take("a", "line-max") == [])
        #expect(!joiner.isEmpty)
        #expect(take("b", "pid-change") == [])
        #expect(take("c") == ["abc"])
        #expect(joiner.isEmpty)
        #expect(take("d", "eof") == ["d"])
        #expect(take("e", "nul") == ["e"])
    }

    @Test mutating func `streams do not mix, and what has no stream is whole`() {
        #expect(take("a", "pid-change", stream: "1") == [])
        #expect(take("b", stream: "2") == ["b"])
        #expect(take("c", stream: nil) == ["c"])
        #expect(take("d", stream: "1") == ["ad"])
    }

    @Test mutating func `a character that was cut in two is one again`() {
        let bytes = Array("ü".utf8)
        let line = OutputLine(text: "", run: RunID(rawValue: 1))
        #expect(joiner.take(line, [bytes[0]], stream: "s", lineBreak: "line-max") == [])
        #expect(joiner.take(line, [bytes[1]], stream: "s", lineBreak: nil).map(\.text) == ["ü"])
    }

    @Test mutating func `a line without end is cut, and nothing of it is lost`() {
        let part = String(repeating: "x", count: LineJoiner.longest - 1)
        #expect(take(part, "line-max") == [])
        #expect(take("yy", "line-max") == [part])
        #expect(joiner.rest().map(\.text) == ["yy"])
        #expect(joiner.rest() == [])
    }
}
