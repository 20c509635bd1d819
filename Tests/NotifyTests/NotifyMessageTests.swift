import Testing

@testable import Notify

struct NotifyMessageTests {
    /// The message and its texts, read from exactly these bytes.
    private func read(
        _ bytes: [UInt8]
    ) throws(NotifyMessage.Problem) -> (message: NotifyMessage, status: [UInt8]?, result: [UInt8]?) {
        let outcome = bytes.withUnsafeBytes { buffer in
            Result<(NotifyMessage, [UInt8]?, [UInt8]?), NotifyMessage.Problem> { () throws(NotifyMessage.Problem) in
                let message = try NotifyMessage(buffer)
                return (message, message.status.map { [UInt8](buffer[$0]) }, message.result.map { [UInt8](buffer[$0]) })
            }
        }
        return try outcome.get()
    }

    private func read(_ text: String) throws -> (message: NotifyMessage, status: [UInt8]?, result: [UInt8]?) {
        try read([UInt8](text.utf8))
    }

    @Test func `an empty datagram is dropped`() {
        #expect(throws: NotifyMessage.Problem.empty) { try read("") }
    }

    @Test func `4096 bytes are read, one more is not`() throws {
        let status = String(repeating: "x", count: 4096 - 7)
        #expect(try read("STATUS=" + status).status == [UInt8](status.utf8))
        #expect(throws: NotifyMessage.Problem.tooLong) { try read("STATUS=" + status + "x") }
    }

    @Test func `a NUL is allowed as the last byte only`() throws {
        #expect(try read("READY=1\0").message.isReady)
        #expect(try read("STATUS=a\0").status == Array("a".utf8))
        for text in ["STATUS=a\0b", "\0READY=1", "READY=1\0\0", "READY=1\0\n"] {
            #expect(throws: NotifyMessage.Problem.innerNUL) { try read(text) }
        }
        #expect(try read("\0").message == NotifyMessage())
    }

    @Test func `only exact lines count`() throws {
        for text in [
            "READY", "READY=", "READY=0", "READY=11", "READY=1 ", " READY=1", "ready=1", "READY=true", "XREADY=1",
            "READY =1", "=", "\n\n", "STATUS", "STATUS x", "UNKNOWN=1", "X_FAF_PROGRES=1/2", "BARRIER=2",
        ] {
            #expect(try read(text).message == NotifyMessage(), "\(text)")
        }
    }

    @Test func `lines may come in any order among unknown ones`() throws {
        let (message, status, _) = try read("A=b\nSTATUS=18 of 30\n\nnonsense\nREADY=1\nERRNO=2\nMAINPID=7\nFDSTORE=1")
        #expect(message.isReady)
        #expect(status == Array("18 of 30".utf8))
        #expect(message.errno == 2)
        #expect(message.mainPID == 7)
        #expect(!message.isStopping && !message.isReloading && !message.isBarrier)
    }

    @Test func `carriage returns end a line as systemd has it`() throws {
        let (message, status, _) = try read("READY=1\r\nSTATUS=a\rRELOADING=1\r\n")
        #expect(message.isReady && message.isReloading)
        #expect(status == Array("a".utf8))
    }

    @Test func `the first of equal keys counts, good or bad`() throws {
        #expect(try read("STATUS=first\nSTATUS=second").status == Array("first".utf8))
        #expect(try read("ERRNO=x\nERRNO=5").message.errno == nil)
        #expect(try read("X_FAF_PROGRESS=1/2\nX_FAF_PROGRESS=2/2").message.progress == .init(done: 1, total: 2))
        #expect(try read("MAINPID=0\nMAINPID=5").message.mainPID == nil)
        #expect(try read("READY=0\nREADY=1").message.isReady)
    }

    @Test func `a bad value drops only its line`() throws {
        let (message, status, result) = try read(
            "ERRNO=4096\nEXIT_STATUS=256\nMAINPID=99999999999\nX_FAF_PROGRESS=1/\nSTATUS=ok\nX_FAF_RESULT=fine\nREADY=1"
        )
        #expect(message.errno == nil && message.exitStatus == nil && message.mainPID == nil && message.progress == nil)
        #expect(status == Array("ok".utf8) && result == Array("fine".utf8) && message.isReady)
    }

    @Test func `numbers are decimal digits within their limits`() throws {
        #expect(try read("ERRNO=0").message.errno == 0)
        #expect(try read("ERRNO=4095").message.errno == 4095)
        #expect(try read("EXIT_STATUS=255").message.exitStatus == 255)
        #expect(try read("MAINPID=2147483647").message.mainPID == 2_147_483_647)
        for value in ["", "-1", "+1", " 1", "1 ", "0x1", "1e1", "٣", "2147483648"] {
            #expect(try read("MAINPID=" + value).message.mainPID == nil, "\(value)")
        }
    }

    @Test func `progress is two numbers of 64 bits`() throws {
        #expect(try read("X_FAF_PROGRESS=18/30").message.progress == .init(done: 18, total: 30))
        #expect(try read("X_FAF_PROGRESS=0/0").message.progress == .init(done: 0, total: 0))
        #expect(
            try read("X_FAF_PROGRESS=18446744073709551615/18446744073709551615").message.progress
                == .init(done: .max, total: .max))
        for value in [
            "", "/", "1", "1/", "/1", "1/2/3", "a/1", "1/a", "-1/2", "1 / 2", "18446744073709551616/1", "1.5/2",
        ] {
            #expect(try read("X_FAF_PROGRESS=" + value).message.progress == nil, "\(value)")
        }
    }

    @Test func `the delay that a task asks for is a text of a time span's length`() throws {
        func text(_ datagram: String) throws -> String? {
            try Array(datagram.utf8).withUnsafeBytes { buffer in
                try NotifyMessage(buffer).retryAfter.map { String(decoding: buffer[$0], as: UTF8.self) }
            }
        }
        #expect(try text("X_FAF_RETRY_AFTER=1min 30s\nX_FAF_RETRY_AFTER=5") == "1min 30s")
        #expect(try text("X_FAF_RETRY_AFTER=" + String(repeating: "1", count: 96))?.utf8.count == 96)
        #expect(try text("X_FAF_RETRY_AFTER=" + String(repeating: "1", count: 97)) == nil)
        #expect(try text("X_FAF_RETRY_AFTER") == nil)
    }

    @Test func `an empty status is a status`() throws {
        let (message, status, _) = try read("STATUS=")
        #expect(message.status?.isEmpty == true && status == [])
    }

    @Test func `the value is all after the first equals sign`() throws {
        #expect(try read("STATUS= a=b=c ").status == Array(" a=b=c ".utf8))
    }

    @Test func `UTF-8 is checked as the standard has it`() throws {
        for scalars in 0...0x10FFFF
        where (scalars % 97 == 0 || scalars < 0x900) && scalars != 10 && scalars != 13 && scalars != 0 {
            guard let scalar = Unicode.Scalar(UInt32(scalars)) else { continue }
            let text = Array(String(Character(scalar)).utf8)
            #expect(try read(Array("STATUS=".utf8) + text).status == text)
        }
        let bad: [[UInt8]] = [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE1, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF1, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE], [0x61, 0xFF],
            [0xE1, 0x80, 0x41],
        ]
        for bytes in bad {
            #expect(try read(Array("STATUS=".utf8) + bytes + Array("\nREADY=1".utf8)).status == nil, "\(bytes)")
            #expect(try read(Array("X_FAF_RESULT=".utf8) + bytes).result == nil, "\(bytes)")
        }
    }

    @Test func `any bytes are read without a trap, and what is taken is well-formed`() throws {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "READY=1", "STATUS=", "X_FAF_PROGRESS=1/2", "MAINPID=1", "BARRIER=1", "\n", "\r", "=", "STOPPING=1",
            "ERRNO=9",
            "X_FAF_RESULT=é", "\u{1F600}", "EXIT_STATUS=3",
        ]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...8, using: &generator) {
                bytes += pieces.randomElement(using: &generator).map { Array($0.utf8) } ?? []
                if Bool.random(using: &generator) { bytes.append(UInt8.random(in: 0...255, using: &generator)) }
            }
            guard let (_, status, result) = try? read(bytes) else { continue }
            for text in [status, result] {
                guard let text else { continue }
                #expect(Array(String(decoding: text, as: UTF8.self).utf8) == text)
                #expect(!text.contains(10) && !text.contains(13) && !text.contains(0))
            }
        }
    }

    @Test func `WATCHDOG= is 1 or trigger`() throws {
        #expect(try read("WATCHDOG=1").message.watchdog == .ping)
        #expect(try read("WATCHDOG=trigger").message.watchdog == .trigger)
        for text in [
            "WATCHDOG=", "WATCHDOG=0", "WATCHDOG=11", "WATCHDOG=Trigger", "WATCHDOG=1 ", "WATCHDOG=2\nWATCHDOG=1",
        ] {
            #expect(try read(text).message.watchdog == nil, "\(text)")
        }
    }

    @Test(arguments: ["WATCHDOG_USEC", "EXTEND_TIMEOUT_USEC"])
    func `times have 64 bits and nothing but digits`(_ key: String) throws {
        func value(_ text: String) throws -> UInt64? {
            let message = try read(text).message
            return key == "WATCHDOG_USEC" ? message.watchdogSpan : message.timeoutExtension
        }
        #expect(try value("\(key)=0") == 0)
        #expect(try value("\(key)=20000000") == 20_000_000)
        #expect(try value("\(key)=18446744073709551615") == .max)
        for text in ["", "-1", "+1", "1s", " 1", "0x10", "18446744073709551616"] {
            #expect(try value("\(key)=\(text)") == nil, "\(text)")
        }
        #expect(try value("\(key)=x\n\(key)=5") == nil, "the first counts, good or bad")
    }
}
