import Synchronization
import TaskModel
import Testing

@testable import FafServer

@Suite struct ResolutionsTests {
    /// Its user database has a file that changes.
    private final class Machine: Host {
        let mark = Mutex<UInt64>(1)
        let isLocal: Bool
        init(isLocal: Bool = true) { self.isLocal = isLocal }

        func accountsMark() -> [FileMark] {
            [FileMark(device: 1, inode: mark.withLock { $0 }, size: 1, modified: 1)]
        }
        func isLocal(_ script: CheckedScript) -> Bool { isLocal }
        func identity(for settings: TaskSettings) throws(HostRefusal) -> RunIdentity { sampleRun().identity }
        func userID(_ text: String) -> UInt32? { nil }
        func groupID(_ text: String) -> UInt32? { nil }
        func checkScript(_ settings: TaskSettings, identity: RunIdentity) throws(HostRefusal) -> CheckedScript {
            sampleRun().script
        }
        func missingProtections() -> [MissingProtection] { [] }
        var unitDirectories: [String] { [] }
        var tasksCgroup: String? { nil }
        func settled(_ settings: TaskSettings) -> TaskSettings { settings }
        func journal(from start: OutputStart) throws(HostRefusal) -> any OutputReader {
            throw HostRefusal(subject: "the journal", message: "there is none", remedy: "")
        }
        func output(of run: RunID, from offset: UInt64, limit: Int) throws(HostRefusal) -> [UInt8] { [] }
        func outputSize(of run: RunID) throws(HostRefusal) -> UInt64 { 0 }
    }

    /// Time passes, something may change, and the task is fired: are its names looked up?
    private func lookUps(
        _ steps: [(after: Duration, change: (inout TaskSettings, Machine) -> Void)]
    ) -> [Bool] {
        let machine = Machine()
        let time = Mutex(ContinuousClock.now)
        let resolutions = Resolutions(host: machine) { time.withLock { $0 } }
        var settings = sampleRun().settings
        return steps.map { step in
            time.withLock { $0 += step.after }
            step.change(&settings, machine)
            var looked = false
            _ = resolutions.of("count", settings) {
                looked = true
                return .init(identity: sampleRun().identity, users: [2001], groups: [])
            }
            return looked
        }
    }

    @Test func `names are looked up once in five seconds`() {
        let nothing = { (_: inout TaskSettings, _: Machine) in }
        let found = lookUps([(.zero, nothing), (.seconds(4), nothing), (.seconds(1), nothing), (.seconds(1), nothing)])
        #expect(found == [true, false, true, false])
    }

    @Test func `a changed user database counts at once`() {
        let found = lookUps([
            (.zero, { _, _ in }), (.zero, { _, machine in machine.mark.withLock { $0 = 2 } }), (.zero, { _, _ in }),
        ])
        #expect(found == [true, true, false])
    }

    @Test func `a changed unit counts at once`() {
        let found = lookUps([(.zero, { _, _ in }), (.zero, { settings, _ in settings.allowUsers = ["bob"] })])
        #expect(found == [true, true])
    }

    @Test(arguments: [true, false]) func `a task is at hand when its names are known and its script is local`(
        isLocal: Bool
    ) {
        let resolutions = Resolutions(host: Machine(isLocal: isLocal))
        let settings = sampleRun().settings
        #expect(!resolutions.isAtHand("count", settings))
        _ = resolutions.of("count", settings) { .init(identity: sampleRun().identity, users: [], groups: []) }
        #expect(!resolutions.isAtHand("count", settings))
        resolutions.found(sampleRun().script, of: "count")
        #expect(resolutions.isAtHand("count", settings) == isLocal)

        // What is changed may be elsewhere.
        var other = settings
        other.command.path = "/net/job"
        #expect(!resolutions.isAtHand("count", other))
        _ = resolutions.of("count", other) { .init(identity: sampleRun().identity, users: [], groups: []) }
        #expect(!resolutions.isAtHand("count", other))
    }
}
