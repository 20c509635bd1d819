public import TaskModel

/// What the server needs to know from the machine it runs on. Thread-safe.
public protocol Host: Sendable {
    /// The ids that a run with these settings gets (`User=`, `Group=`, `SupplementaryGroups=`; the supervisor's own
    /// where they are unset).
    func identity(for settings: TaskSettings) throws(HostRefusal) -> RunIdentity

    /// The uid that this name or number of `AllowUsers=` or `ScriptOwner=` means; `nil` if there is no such user.
    func userID(_ text: String) -> UInt32?

    /// The gid that this name or number of `AllowGroups=` means; `nil` if there is no such group.
    func groupID(_ text: String) -> UInt32?

    /// Changes with the files of the user database: what a name stands for may be another then.
    func accountsMark() -> [FileMark]

    /// Nobody else's machine is asked for this file: a look at it does not hang.
    func isLocal(_ script: CheckedScript) -> Bool

    /// The script check of the design, section 5, for a run with this identity.
    func checkScript(_ settings: TaskSettings, identity: RunIdentity) throws(HostRefusal) -> CheckedScript

    /// What protections this machine and this mode do not give.
    func missingProtections() -> [MissingProtection]

    /// Where units are looked for, the first wins.
    var unitDirectories: [String] { get }

    /// The cgroup below which attempts have theirs; `nil`: they have none.
    var tasksCgroup: String? { get }

    /// The settings with which a run is fired now: what a unit leaves to the machine is decided.
    func settled(_ settings: TaskSettings) -> TaskSettings

    /// Reads output from the journal.
    func journal(from start: OutputStart) throws(HostRefusal) -> any OutputReader

    /// The output of a run from this byte on, at most `limit` bytes; empty at its present end.
    func output(of run: RunID, from offset: UInt64, limit: Int) throws(HostRefusal) -> [UInt8]

    /// How many bytes of output a run has; 0 if it has none.
    func outputSize(of run: RunID) throws(HostRefusal) -> UInt64
}

/// How a file is now: another one, or another content, has another mark.
public struct FileMark: Sendable, Hashable {
    public var device: UInt64
    public var inode: UInt64
    public var size: UInt64
    /// µs of CLOCK_REALTIME.
    public var modified: Int64

    public init(device: UInt64, inode: UInt64, size: UInt64, modified: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
    }
}

/// Something that this machine or this mode does not give.
public struct MissingProtection: Sendable, Hashable {
    /// A stable word.
    public var kind: String
    /// What does not work because of it.
    public var text: String
    /// What would give it.
    public var remedy: String

    public init(kind: String, text: String, remedy: String) {
        self.kind = kind
        self.text = text
        self.remedy = remedy
    }
}

/// Reads output from the journal. One caller at a time.
public protocol OutputReader: Sendable {
    /// The next part; without lines at the present end.
    func next(_ mood: OutputMood, of selection: OutputSelection) async throws(HostRefusal) -> OutputPart
}

public enum OutputMood: Sendable {
    /// What is there.
    case now
    /// What is there, or comes in a moment.
    case waiting
    /// What is there, and nothing may be missing: no more is to come.
    case last
    /// What had no newline at its end.
    case rest
}

/// Something that the machine does not allow or does not have.
public struct HostRefusal: Error, Sendable, Hashable {
    /// The setting or the path at fault.
    public var subject: String
    public var message: String
    public var remedy: String

    public init(subject: String, message: String, remedy: String) {
        self.subject = subject
        self.message = message
        self.remedy = remedy
    }
}
