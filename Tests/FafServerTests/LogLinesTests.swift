import Testing

@testable import FafServer

@Suite struct LogLinesTests {
    private func lines(_ text: String, chunk: Int) -> [String] {
        var reader = LineReader()
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            reader.take(Array(bytes[start..<min(start + chunk, bytes.count)]))
        }
        reader.finish()
        return reader.lines()
    }

    private func tail(_ text: String, _ count: Int64, chunk: Int) async -> String {
        let bytes = Array(text.utf8)
        let tail = await LogTail.find(count, size: UInt64(bytes.count), chunk: chunk) { offset, limit in
            Array(bytes[Int(offset)..<Int(offset) + limit])
        }
        let found = String(decoding: bytes[Int(tail.start)...], as: UTF8.self)
        #expect(tail.lines == lines(found, chunk: chunk).count)
        return found
    }

    @Test(arguments: [1, 2, 3, 100]) func `lines are the same however they come`(chunk: Int) {
        #expect(lines("one\n\ntwo\nthree", chunk: chunk) == ["one", "", "two", "three"])
        #expect(lines("\n", chunk: chunk) == [""])
        #expect(lines("", chunk: chunk) == [])
    }

    @Test func `the place is behind the last whole line`() {
        var reader = LineReader()
        reader.take(Array("one\ntw".utf8))
        #expect(reader.place == 4)
        reader.take(Array("o\n".utf8))
        #expect(reader.place == 8)
    }

    @Test func `a line without end is cut, and nothing of it is lost`() {
        let long = String(repeating: "x", count: LineReader.longest * 2 + 1)
        let cut = lines(long + "\nend\n", chunk: 1000)
        #expect(cut.map(\.utf8.count) == [LineReader.longest, LineReader.longest, 1, 3])
    }

    @Test(arguments: [1, 2, 3, 100]) func `the last lines begin behind a newline`(chunk: Int) async {
        #expect(await tail("one\ntwo\nthree\n", 2, chunk: chunk) == "two\nthree\n")
        #expect(await tail("one\ntwo\nthree", 2, chunk: chunk) == "two\nthree")
        #expect(await tail("one\ntwo\n", 5, chunk: chunk) == "one\ntwo\n")
        #expect(await tail("one\n\n", 1, chunk: chunk) == "\n")
        #expect(await tail("one\n", 0, chunk: chunk) == "")
    }

    @Test func `a log that looks endless is read from near its end`() async {
        var most: UInt64 = 0
        let size: UInt64 = 8 << 40
        let tail = await LogTail.find(5, size: size, chunk: 65536) { offset, limit in
            most += UInt64(limit)
            return [UInt8](repeating: 0, count: limit)
        }
        #expect(tail.start == size - LogTail.limit)
        #expect(most == LogTail.limit)
    }
}
