import Synchronization
import TaskModel

/// As whom the tasks fired last are run, and who may fire them: to look names up takes longer than all else that a fire
/// is checked for, and may hang where the user database is another machine's.
///
/// Kept until a file of the user database changes, and for `age` at most: no longer than others keep what they have
/// looked up (nscd(8), sssd).
final class Resolutions: Sendable {
    struct Resolution: Sendable {
        var identity: RunIdentity
        /// Who may fire it.
        var users: Set<UInt32>
        var groups: Set<UInt32>
    }

    private struct Entry {
        let settings: TaskSettings
        let resolution: Resolution
        let mark: [FileMark]
        let since: ContinuousClock.Instant
        /// Nothing of what is checked for a fire can hang.
        var isLocal = false
    }

    static let age = Duration.seconds(5)
    private static let limit = 1000

    private let host: any Host
    private let now: @Sendable () -> ContinuousClock.Instant
    private let entries = Mutex<[String: Entry]>([:])

    init(host: any Host, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.host = host
        self.now = now
    }

    /// `resolve` is called unless the names of this task, with these settings, were looked up a moment ago.
    func of<Failure>(
        _ task: String, _ settings: TaskSettings, resolve: () throws(Failure) -> Resolution
    ) throws(Failure) -> Resolution {
        if let entry = valid(task, settings) { return entry.resolution }
        let (mark, since) = (host.accountsMark(), now())
        let resolution = try resolve()
        entries.withLock { entries in
            if entries.count >= Self.limit { entries = [:] }
            entries[task] = Entry(settings: settings, resolution: resolution, mark: mark, since: since)
        }
        return resolution
    }

    /// A fire of this task needs nothing that could hang: its names are known, and its script was on a file system of this
    /// machine a moment ago.
    func isAtHand(_ task: String, _ settings: TaskSettings) -> Bool { valid(task, settings)?.isLocal == true }

    /// The script was looked at, on a thread that may hang if it was not at hand.
    func found(_ script: CheckedScript, of task: String) {
        if entries.withLock({ $0[task]?.isLocal }) == true { return }
        let isLocal = host.isLocal(script)
        entries.withLock { $0[task]?.isLocal = isLocal }
    }

    private func valid(_ task: String, _ settings: TaskSettings) -> Entry? {
        guard let entry = entries.withLock({ $0[task] }), now() - entry.since < Self.age,
            entry.settings == settings, entry.mark == host.accountsMark()
        else { return nil }
        return entry
    }
}
