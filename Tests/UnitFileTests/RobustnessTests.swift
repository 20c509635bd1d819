import Testing
import UnitFile

struct RobustnessTests {
    private let sample = Array(
        """
        \u{FEFF}# comment
        [Unit]
        Description=ä \\
          # inside
          more\\\\\\
        \r\n[Task]\rExecStart=/bin/x "a b" \\x41 ; %n
        =x
        X-Ignored
        [X-Y]\0Z=1
        """.utf8)

    @Test func `no cut through a file does harm`() {
        for length in 0...sample.count {
            let (file, failure) = UnitFile.readingPrefix(of: Array(sample.prefix(length)))
            check(file, failure)
        }
    }

    @Test func `no changed byte does harm`() {
        for index in sample.indices {
            for byte: UInt8 in [0, 0x0A, 0x0D, 0x20, 0x23, 0x3D, 0x5B, 0x5C, 0x5D, 0x80, 0xC3, 0xEF, 0xFF] {
                var bytes = sample
                bytes[index] = byte
                let (file, failure) = UnitFile.readingPrefix(of: bytes)
                check(file, failure)
            }
        }
    }

    @Test func `random bytes do no harm`() {
        var state: UInt64 = 1
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        let alphabet = Array("[]=#;\\\"' \t\r\n\0ab%".utf8) + [0xC3, 0xA4, 0xEF, 0xBB, 0xBF]
        for _ in 0..<3000 {
            let bytes = (0..<(next() % 60)).map { _ in alphabet[Int(next() % UInt64(alphabet.count))] }
            let (file, failure) = UnitFile.readingPrefix(of: bytes)
            check(file, failure)
        }
    }

    @Test func `many short continuations are read in linear time`() throws {
        let text = "[S]\nA=" + String(repeating: "x\\\n", count: 300_000)
        #expect(try UnitFile(parsing: Array(text.utf8)).assignments.first?.value.utf8.count == 599_999)
    }

    private func check(_ file: UnitFile, _ failure: SyntaxProblem?) {
        for assignment in file.assignments {
            for offset in 0...assignment.value.utf8.count {
                let position = assignment.position(ofUTF8Offset: offset)
                if position.line < 1 || position.column < 1 { Issue.record("no position at \(offset)") }
            }
        }
        if failure?.isFatal == false { Issue.record("a failure that is not fatal") }
    }
}
