import TaskModel
import TaskUnits
import Testing

/// Random units of pieces that mean something: nothing traps, and every report has a place and a remedy.
@Suite struct UnitVerifierFuzzTests {
    private static let pieces = [
        "[Task]\n", "[Unit]\n", "[Parameters]\n", "[Service]\n", "[", "]", "\n", "=", "\\", "\"", "'", "%", "%i", "%Z",
        "$", "${", "}", "ExecStart=", "Environment=", "User=", "Nice=", "LimitCPU=", "TimeoutSec=",
        "AcceptParameters=", "a", "A=1", " ", "\t", "\r", "\0", "\u{301}", "ä", "\u{1F600}", "99999999999999999999",
        "-", "1:2", "infinity", "x=string default=", "[1,2", "{\"a\":", "Documentation=", "WorkingDirectory=", "~",
        "/", "..", ";", "#", "SuccessExitStatus=", "KillSignal=RTMIN+", "Type=notify\n", "@", ":", "!", "\\x",
        "\\u00e", "\\777", "AllowedDirectories=/", "PassEnvironment=", "X-", "MemoryMax=",
    ]

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `no text of a unit traps`(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<500 {
            var text = Bool.random(using: &random) ? "[Task]\nExecStart=/x\n" : ""
            for _ in 0..<Int.random(in: 1..<40, using: &random) {
                text += Self.pieces.randomElement(using: &random) ?? ""
            }
            var bytes = Array(text.utf8)
            if Bool.random(using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let name = ["t.task", "r@.task", "r@x.task", "t.task.d/a.conf"].randomElement(using: &random) ?? ""
            for found in UnitVerifier.verify(path: "/x/" + name, bytes: bytes) {
                #expect(found.line >= 0 && found.column >= 0 && !found.message.isEmpty && !found.remedy.isEmpty)
                #expect(!found.description.utf8.contains { $0 < 0x20 })
            }
        }
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
