/// A length of time in µs, or `infinity` (systemd.time(7)).
public enum TimeSpan: Sendable, Hashable, Codable {
    case microseconds(UInt64)
    case infinity

    /// For limits that 0 and infinity switch off.
    public var positiveMicroseconds: UInt64? {
        if case .microseconds(let value) = self, value > 0 { value } else { nil }
    }
}

/// Everything that a unit says about its runs, resolved: specifiers are expanded, defaults filled in.
///
/// A run keeps the settings it was fired with to its last retry, so this value is stored with it: a field added later
/// needs a default in `init(from:)`.
public struct TaskSettings: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// Running as soon as the script's first instruction runs.
        case simple
        /// Running once the script says `READY=1`.
        case notify
    }

    /// Who may send to the notify socket (`NotifyAccess=`, systemd.service(5)).
    public enum NotifyAccess: String, Sendable, Hashable, Codable { case none, main, exec, all }

    /// Whom a stop reaches (`KillMode=`, systemd.kill(5)).
    public enum KillMode: String, Sendable, Hashable, Codable {
        case controlGroup = "control-group"
        case mixed, process, none
    }

    /// What follows `SilenceSec=`, in the words of `OOMPolicy=` (systemd.service(5)).
    public enum SilenceAction: String, Sendable, Hashable, Codable {
        /// Only said.
        case carryOn = "continue"
        case stop, kill
    }

    public struct Command: Sendable, Hashable, Codable {
        /// Absolute path as configured, links not yet followed.
        public var path: String
        /// argv[0] first; the parameters are added behind.
        public var arguments: [String]
        /// `$NAME` and `${NAME}` in the arguments are replaced from the run's environment (no `:` prefix).
        public var expandsEnvironment: Bool

        public init(path: String, arguments: [String], expandsEnvironment: Bool) {
            self.path = path
            self.arguments = arguments
            self.expandsEnvironment = expandsEnvironment
        }
    }

    public struct EnvironmentFile: Sendable, Hashable, Codable {
        public var path: String
        /// `-` before the path: a missing file is no error.
        public var isOptional: Bool

        public init(path: String, isOptional: Bool) {
            self.path = path
            self.isOptional = isOptional
        }
    }

    public struct ResourceLimit: Sendable, Hashable, Codable {
        /// The kernel's RLIMIT_ number (getrlimit(2)).
        public var resource: UInt32
        /// `UInt64.max` is RLIM_INFINITY. The unit is the resource's own (bytes, seconds, µs, count).
        public var soft: UInt64
        public var hard: UInt64

        public init(resource: UInt32, soft: UInt64, hard: UInt64) {
            self.resource = resource
            self.soft = soft
            self.hard = hard
        }
    }

    /// Exit codes and signals that count as success beside exit code 0 (`SuccessExitStatus=`).
    public struct ExitStatuses: Sendable, Hashable, Codable {
        public var codes: Set<UInt8> = []
        public var signals: Set<UInt8> = []
        public init() {}
    }

    public var description: String = ""
    public var documentation: [String] = []

    public var kind: Kind = .simple
    public var command: Command
    /// `nil`: the user's home directory for `User=`, `/` otherwise, as systemd has it (`/` in both; systemd.exec(5)).
    public var workingDirectory: WorkingDirectory = .root
    /// `NAME=value`, in order.
    public var environment: [String] = []
    public var environmentFiles: [EnvironmentFile] = []
    public var passEnvironment: [String] = []
    /// As written in the unit; `nil` is the supervisor's own user.
    public var user: String?
    public var group: String?
    public var supplementaryGroups: [String] = []
    public var umask: UInt16 = 0o022
    public var nice: Int8?
    public var limits: [ResourceLimit] = []
    public var noNewPrivileges = true

    /// Who may fire and kill, as written: names or numbers. Empty: root and `user`.
    public var allowUsers: [String] = []
    public var allowGroups: [String] = []
    /// As written; `nil`: root or `user`.
    public var scriptOwner: String?
    /// Absolute paths; empty: anywhere that the check passes.
    public var allowedDirectories: [String] = []

    public var parameters: ParameterPolicy = .any

    public var timeoutStart: TimeSpan = .infinity
    public var timeoutStop: TimeSpan = .microseconds(90_000_000)
    public var killMode: KillMode = .controlGroup
    public var killSignal: UInt8 = 15
    public var sendSIGKILL = true
    public var notifyAccess: NotifyAccess = .all
    public var successExitStatus = ExitStatuses()

    // Optional all, so that rows of older versions decode.

    /// `nil`: the run's own file below the supervisor's log directory. What a unit leaves unset is decided when the run
    /// is fired: `journal` where there is one.
    public var standardOutput: Output?
    /// `nil`: the same as the standard output.
    public var standardError: Output?
    /// `nil`: the task's name.
    public var syslogIdentifier: String?
    /// `nil`: yes.
    public var syslogLevelPrefix: Bool?
    private var limited: ResourceSettings?
    private var watched: ConditionSettings?
    private var retrying: RetrySettings?
    private var followedBy: FollowUps?

    /// `nil`: infinity.
    public var runtimeMax: TimeSpan?
    /// A random part of it is added to `runtimeMax`; `nil`: nothing.
    public var runtimeRandomizedExtra: TimeSpan?
    /// `nil`: none, as 0 and infinity.
    public var watchdog: TimeSpan?
    /// `nil`: SIGABRT.
    public var watchdogSignal: UInt8?
    /// `nil`: `timeoutStop`.
    public var timeoutAbort: TimeSpan?
    /// `nil`: none, as 0 and infinity.
    public var silence: TimeSpan?
    /// `nil`: stop.
    public var silenceAction: SilenceAction?
    /// `nil`: `killSignal`.
    public var restartKillSignal: UInt8?
    /// `nil`: SIGKILL.
    public var finalKillSignal: UInt8?
    /// `nil`: no.
    public var sendSIGHUP: Bool?

    private var storedSandbox: Sandbox?

    /// Stored only if it is anything but the default.
    public var sandbox: Sandbox {
        get { storedSandbox ?? Sandbox() }
        set { storedSandbox = newValue == Sandbox() ? nil : newValue }
    }

    public init(command: Command) { self.command = command }

    public var resources: ResourceSettings {
        get { limited ?? ResourceSettings() }
        set { limited = newValue == ResourceSettings() ? nil : newValue }
    }

    /// Pings are asked for every so many µs; `nil`: none are.
    public var watchdogMicroseconds: UInt64? { watchdog?.positiveMicroseconds }

    public var conditions: ConditionSettings {
        get { watched ?? ConditionSettings() }
        set { watched = newValue == ConditionSettings() ? nil : newValue }
    }

    public var followUps: FollowUps {
        get { followedBy ?? FollowUps() }
        set { followedBy = newValue == FollowUps() ? nil : newValue }
    }

    public var retry: RetrySettings {
        get { retrying ?? RetrySettings() }
        set { retrying = newValue == RetrySettings() ? nil : newValue }
    }

    /// Where the script writes to (`StandardOutput=`, systemd.exec(5)).
    public enum Output: Sendable, Hashable, Codable {
        /// Standard output: as the input, so /dev/null; standard error: as the output.
        case inherit
        case null
        case journal
        /// Written from the beginning, without truncating.
        case file(String)
        case append(String)
        case truncate(String)

        public var path: String? {
            switch self {
            case .inherit, .null, .journal: nil
            case .file(let path), .append(let path), .truncate(let path): path
            }
        }
    }

    public enum WorkingDirectory: Sendable, Hashable, Codable {
        case root
        /// `~`: the home directory of the run's user.
        case home(isOptional: Bool)
        case path(String, isOptional: Bool)
    }
}
