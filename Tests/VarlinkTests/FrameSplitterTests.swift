import Testing
import Varlink

@Suite struct FrameSplitterTests {
    private func all(_ splitter: inout FrameSplitter) throws -> [String] {
        var messages: [String] = []
        while let message: Result<String, Never> = try splitter.next({ bytes in
            .success(String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self))
        }) {
            messages.append(message.get())
        }
        return messages
    }

    private let stream = Array("one\0\0three and more\0".utf8)

    @Test func `messages come whole, several at once`() throws {
        var splitter = FrameSplitter(limit: 100)
        splitter.append(stream + Array("part".utf8))
        #expect(try all(&splitter) == ["one", "", "three and more"])
        #expect(splitter.pendingBytes == 4)
        splitter.append(Array("ial\0".utf8))
        #expect(try all(&splitter) == ["partial"])
        #expect(splitter.pendingBytes == 0)
    }

    @Test func `any cut into two gives the same messages`() throws {
        for cut in 0...stream.count {
            var splitter = FrameSplitter(limit: 100)
            splitter.append(stream[..<cut])
            var messages = try all(&splitter)
            splitter.append(stream[cut...])
            messages += try all(&splitter)
            #expect(messages == ["one", "", "three and more"])
        }
    }

    @Test func `byte by byte each message comes with its NUL`() throws {
        var splitter = FrameSplitter(limit: 100)
        var messages: [String] = []
        for byte in stream {
            splitter.append([byte])
            let new = try all(&splitter)
            #expect(new.count == (byte == 0 ? 1 : 0))
            messages += new
        }
        #expect(messages == ["one", "", "three and more"])
    }

    @Test func `the limit holds whether the end has come or not`() throws {
        for text in ["123456\0", "123456", "12345\u{0}123456\0"] {
            var splitter = FrameSplitter(limit: 5)
            splitter.append(Array(text.utf8))
            #expect(throws: FrameError.tooLarge(limit: 5)) { try all(&splitter) }
        }
        var splitter = FrameSplitter(limit: 5)
        splitter.append(Array("12345\u{0}12345".utf8))
        #expect(try all(&splitter) == ["12345"])
    }

    @Test func `random streams in random pieces come out as they went in`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let sent = (0..<Int.random(in: 1...30, using: &random)).map { number in
                "\(number)" + String(repeating: "x", count: Int.random(in: 0...300, using: &random))
            }
            let bytes: [UInt8] = Array(sent.map { $0 + "\0" }.joined().utf8)
            var splitter = FrameSplitter(limit: 1000)
            var received: [String] = []
            var position = 0
            while position < bytes.count {
                let end = min(bytes.count, position + Int.random(in: 1...700, using: &random))
                splitter.append(bytes[position..<end])
                position = end
                if Bool.random(using: &random) { received += try all(&splitter) }
            }
            received += try all(&splitter)
            #expect(received == sent)
        }
    }
}
