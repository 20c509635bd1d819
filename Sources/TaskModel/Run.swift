/// The ids a run's script runs with, as they were when it was fired.
public struct RunIdentity: Sendable, Hashable, Codable {
    public var uid: UInt32
    public var gid: UInt32
    public var groups: [UInt32]
    public var userName: String
    public var home: String
    public var shell: String

    public init(uid: UInt32, gid: UInt32, groups: [UInt32], userName: String, home: String, shell: String) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.userName = userName
        self.home = home
        self.shell = shell
    }
}

/// The file that an attempt executes, as the check found it (design: which script may run).
public struct CheckedScript: Sendable, Hashable, Codable {
    /// As the unit has it; `$FAF_SCRIPT`.
    public var configuredPath: String
    /// Links followed; this is what execve gets.
    public var realPath: String
    public var device: UInt64
    public var inode: UInt64
    /// The uids that may own the script and the directories above it, beside root.
    public var owner: UInt32

    public init(configuredPath: String, realPath: String, device: UInt64, inode: UInt64, owner: UInt32) {
        self.configuredPath = configuredPath
        self.realPath = realPath
        self.device = device
        self.inode = inode
        self.owner = owner
    }

    /// The release directory that the script lies in (`…/releases/NAME`, Capistrano's layout); `nil` elsewhere.
    public var release: String? {
        let parts = realPath.split(separator: "/", omittingEmptySubsequences: true)
        guard let index = parts.dropLast(2).lastIndex(of: "releases") else { return nil }
        return "/" + parts[...(index + 1)].joined(separator: "/")
    }
}

/// Who may see and kill a run, fixed when it is fired: uids and gids, resolved.
public struct RunRights: Sendable, Hashable, Codable {
    public var firedBy: UInt32
    public var users: Set<UInt32>
    public var groups: Set<UInt32>

    public init(firedBy: UInt32, users: Set<UInt32>, groups: Set<UInt32>) {
        self.firedBy = firedBy
        self.users = users
        self.groups = groups
    }
}

/// One launch of a run's script, as it is kept for good.
public struct Attempt: Sendable, Hashable, Codable {
    public var number: Int
    public var invocation: InvocationID
    public var boot: BootID
    /// `nil` while it goes on.
    public var state: RunState?
    public var reason: Reason?
    public var shimPID: Int32?
    public var mainPID: Int32?
    public var exit: ProcessExit?
    public var usage: Usage?
    /// Conditions that were met, the latest of each quantity. `nil`: none, or nobody was there to look.
    public var conditions: [ConditionVerdict]?
    public var startedAt: Timestamp?
    public var endedAt: Timestamp?
    /// `nil`: nothing stopped it, or an older version kept it.
    public var stop: AttemptStop?
    /// `nil`: nothing to tell, or it is over.
    public var clocks: AttemptClocks?
    /// Where its output begins in the run's file, in bytes; `nil`: at the beginning, in no file, or an older version
    /// has launched it.
    public var outputStart: UInt64?

    public init(number: Int, invocation: InvocationID, boot: BootID) {
        self.number = number
        self.invocation = invocation
        self.boot = boot
    }
}

/// One firing of a task: what was asked for and how it ended. This is the store's row.
///
/// While an attempt lives, its record is right about status, progress, pids and the fine states; they are put in here
/// when a run is shown, and stored only at its end.
public struct Run: Sendable, Hashable, Codable, Identifiable {
    public var id: RunID
    /// With its instance, without `.task`.
    public var task: String
    /// Sorted by name, defaults included.
    public var parameters: [Parameter]
    @Shared public var settings: TaskSettings
    public var identity: RunIdentity
    public var rights: RunRights
    public var script: CheckedScript
    public var priority: Int
    public var state: RunState
    public var reason: Reason?
    public var status: String?
    public var progress: Progress?
    public var resultText: String?
    public var queuedAt: Timestamp
    public var startedAt: Timestamp?
    public var endedAt: Timestamp?
    /// At least one as soon as the run has been launched; the last one is the current one, or while the run is `queued`
    /// the one that has ended. Of very many only the latest are kept.
    public var attempts: [Attempt]
    /// `nil`: it was never tried again.
    public var retry: RetryState?
    /// `nil`: somebody fired it.
    public var trigger: RunTrigger?

    public init(
        id: RunID, task: String, parameters: [Parameter], settings: TaskSettings, identity: RunIdentity,
        rights: RunRights, script: CheckedScript, priority: Int, state: RunState, queuedAt: Timestamp,
        attempts: [Attempt]
    ) {
        self.init(
            id: id, task: task, parameters: parameters, settings: Shared(wrappedValue: settings), identity: identity,
            rights: rights, script: script, priority: priority, state: state, queuedAt: queuedAt, attempts: attempts)
    }

    /// With settings that other runs have, too.
    public init(
        id: RunID, task: String, parameters: [Parameter], settings: Shared<TaskSettings>, identity: RunIdentity,
        rights: RunRights, script: CheckedScript, priority: Int, state: RunState, queuedAt: Timestamp,
        attempts: [Attempt]
    ) {
        self.id = id
        self.task = task
        self.parameters = parameters
        _settings = settings
        self.identity = identity
        self.rights = rights
        self.script = script
        self.priority = priority
        self.state = state
        self.queuedAt = queuedAt
        self.attempts = attempts
    }
}
