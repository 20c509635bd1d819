import Synchronization
import TaskModel
import Testing

@testable import FafServer

@Suite struct TailReaderTests {
    /// Has a file, or a journal, and counts what is read of it.
    private final class Machine: Host {
        let file: [UInt8]
        let journalParts: [[String]]
        let rest: [String]
        let largest = Mutex(0)
        let start = Mutex(OutputStart())
        let opened = Mutex<Journal?>(nil)

        init(file: [UInt8] = [], journalParts: [[String]] = [], rest: [String] = []) {
            (self.file, self.journalParts, self.rest) = (file, journalParts, rest)
        }

        func output(of run: RunID, from offset: UInt64, limit: Int) throws(HostRefusal) -> [UInt8] {
            largest.withLock { $0 = max($0, limit) }
            return Array(file.dropFirst(Int(offset)).prefix(limit))
        }
        func outputSize(of run: RunID) throws(HostRefusal) -> UInt64 { UInt64(file.count) }
        func journal(from start: OutputStart) throws(HostRefusal) -> any OutputReader {
            self.start.withLock { $0 = start }
            let journal = Journal(parts: journalParts, rest: rest)
            opened.withLock { $0 = journal }
            return journal
        }

        func identity(for settings: TaskSettings) throws(HostRefusal) -> RunIdentity { sampleRun().identity }
        func userID(_ text: String) -> UInt32? { nil }
        func groupID(_ text: String) -> UInt32? { nil }
        func checkScript(_ settings: TaskSettings, identity: RunIdentity) throws(HostRefusal) -> CheckedScript {
            sampleRun().script
        }
        func accountsMark() -> [FileMark] { [] }
        func isLocal(_ script: CheckedScript) -> Bool { true }
        func missingProtections() -> [MissingProtection] { [] }
        var unitDirectories: [String] { [] }
        var tasksCgroup: String? { nil }
        func settled(_ settings: TaskSettings) -> TaskSettings { settings }
    }

    private final class Journal: OutputReader {
        let parts: Mutex<[[String]]>
        let rest: [String]
        let moods = Mutex<Set<String>>([])

        init(parts: [[String]], rest: [String]) {
            self.parts = Mutex(parts)
            self.rest = rest
        }

        func next(_ mood: OutputMood, of selection: OutputSelection) async throws(HostRefusal) -> OutputPart {
            #expect(selection.attempts.keys.map(\.attempt) == [2])
            if case .rest = mood { return .lines(rest.map { OutputLine(text: $0, run: sampleRun().id) }, place: "") }
            if case .now = mood { moods.withLock { _ = $0.insert("now") } }
            if case .last = mood { moods.withLock { _ = $0.insert("last") } }
            let part = parts.withLock { $0.isEmpty ? [] : $0.removeFirst() }
            return .lines(part.map { OutputLine(text: $0, run: sampleRun().id) }, place: "")
        }
    }

    private func tail(_ text: [UInt8], from start: UInt64? = nil, to end: UInt64? = nil) async throws -> OutputTail? {
        let machine = Machine(file: text)
        var attempt = sampleRun().attempts[0]
        attempt.outputStart = start
        let tail = try await TailReader(host: machine).read(attempt, sampleRun(), before: end ?? UInt64(text.count))
        #expect(machine.largest.withLock { $0 } <= OutputTail.byteLimit + 1)
        return tail
    }

    @Test func `an attempt has the last lines between its beginning and its end`() async throws {
        let text = Array("first\nsecond\nthird".utf8)
        #expect(try await tail(text)?.lines == ["first", "second", "third"])
        #expect(try await tail(text, from: 6)?.lines == ["second", "third"])
        #expect(try await tail(text, from: 6, to: 13)?.lines == ["second"])
        #expect(try await tail(text, from: 6, to: 6) == nil)
        let many = Array((1...30).map { "\($0)\n" }.joined().utf8)
        #expect(try await tail(many) == OutputTail((21...30).map(String.init)))
    }

    @Test func `a file that was made shorter is all of the attempt`() async throws {
        #expect(try await tail(Array("anew\n".utf8), from: 100)?.lines == ["anew"])
    }

    @Test func `a later attempt whose beginning is not known has none`() async throws {
        var attempt = sampleRun().attempts[0]
        attempt.number = 2
        let machine = Machine(file: Array("of the first\n".utf8))
        #expect(try await TailReader(host: machine).read(attempt, sampleRun(), before: 13) == nil)
    }

    @Test func `what is too much is cut in front, between two characters, and says so`() async throws {
        let long = String(repeating: "ä", count: 3000)
        let cut = try #require(try await tail(Array("begin\n\(long)\n".utf8)))
        #expect(cut.isCut && cut.lines.count == 1 && cut.lines[0].allSatisfy { $0 == "ä" })
        #expect(cut.lines[0].utf8.count <= OutputTail.byteLimit && cut.lines[0].utf8.count > OutputTail.byteLimit - 4)
        // The last 4096 bytes are whole lines.
        let lines = String(repeating: "x", count: 1023) + "\n"
        let whole = try #require(try await tail(Array(String(repeating: lines, count: 7).utf8)))
        #expect(!whole.isCut && whole.lines.count == 4)
    }

    @Test func `what is no UTF-8 is U+FFFD, and counts with its three bytes`() async throws {
        #expect(try await tail([0x61, 0xff, 0x0a])?.lines == ["a\u{FFFD}"])
        let tail = try #require(try await tail([UInt8](repeating: 0xff, count: 9000)))
        #expect(tail.isCut && tail.lines[0].utf8.count <= OutputTail.byteLimit)
    }

    @Test func `the journal is asked for the last lines of this attempt, none missing`() async throws {
        var run = sampleRun()
        run.settings.standardOutput = .journal
        run.attempts[0].number = 2
        let parts = (1...4).map { ["\($0)a", "\($0)b", "\($0)c"] }
        let machine = Machine(journalParts: parts, rest: ["no newline"])
        let tail = try await TailReader(host: machine).read(run.attempts[0], run, before: nil)
        #expect(tail?.lines == ["2a", "2b", "2c", "3a", "3b", "3c", "4a", "4b", "4c", "no newline"])
        #expect(machine.start.withLock { $0.last } == 10)
        #expect(machine.opened.withLock { $0?.moods.withLock { $0 } } == ["last"])
        run.attempts[0].state = .succeeded
        #expect(try await TailReader(host: machine).read(run.attempts[0], run, before: nil) == tail)
        #expect(machine.opened.withLock { $0?.moods.withLock { $0 } } == ["now"], "journald is spared a sync")
        #expect(try await TailReader(host: Machine()).read(run.attempts[0], run, before: nil) == nil)
    }

    @Test func `no more is kept than is promised`() {
        #expect(OutputTail([]) == nil)
        #expect(OutputTail(["", ""])?.lines == ["", ""])
        let lines = (1...20).map { "\($0) " + String(repeating: "y", count: 1000) }
        let tail = OutputTail(lines, isCut: true)
        #expect(tail?.isCut == true)
        #expect(tail?.lines.suffix(4).map { $0.prefix(2) } == ["17", "18", "19", "20"])
        #expect((tail?.lines.reduce(0) { $0 + $1.utf8.count + 1 } ?? 0) <= OutputTail.byteLimit)
        // Cut in front of lines that are not kept.
        #expect(OutputTail((1...20).map(String.init), isCut: true)?.isCut == false)
        #expect(OutputTail(["1", "2"], isCut: true)?.isCut == true)
    }
}
