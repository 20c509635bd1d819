public import TaskModel

/// Everything that a shim needs to know to run one attempt, as fafd hands it over (`faf_record.h`, launch specification).
public struct LaunchSpecification: Sendable, Hashable {
    public var run: RunID
    public var attempt: Int
    public var invocation: InvocationID
    public var boot: BootID

    public var script: CheckedScript
    public var allowedDirectories: [String] = []
    /// argv[0] first.
    public var arguments: [String]
    /// `NAME=value`.
    public var environment: [String] = []
    public var workingDirectory = "/"
    /// A missing working directory means `/`.
    public var workingDirectoryIsOptional = false

    public var uid: UInt32
    public var gid: UInt32
    /// The exact supplementary groups.
    public var groups: [UInt32] = []
    /// Set groups, gid and uid; else the shim's own are kept.
    public var changesUser = false
    public var umask: UInt16 = 0o022
    public var nice: Int8?
    public var limits: [TaskSettings.ResourceLimit] = []
    public var noNewPrivileges = true
    /// The script dies with its shim (PR_SET_PDEATHSIG): where there is no cgroup to find it by.
    public var diesWithShim = false

    public var kind = TaskSettings.Kind.simple
    public var notifyAccess = TaskSettings.NotifyAccess.all
    public var killMode = TaskSettings.KillMode.controlGroup
    public var killSignal: UInt8 = 15
    public var sendSIGKILL = true
    public var timeoutStart = TimeSpan.infinity
    public var timeoutStop = TimeSpan.microseconds(90_000_000)
    public var times = Times()
    public var signals = Signals()

    public var recordsDirectory: String
    public var endsDirectory: String
    /// The socket to bind; `nil`: none.
    public var notifyPath: String?
    /// The attempt's cgroup, to be made; `nil`: none.
    public var cgroup: String?
    /// What the kernel enforces for the cgroup.
    public var cgroupLimits: [CgroupLimit] = []
    /// The attempt is stopped once the kernel has killed one of its processes for lack of memory.
    public var stopsOutOfMemory = false
    /// The directory for input and results, to be made for the run's uid.
    public var ioDirectory: String?
    /// The file to append to; `nil`: /dev/null.
    public var standardOutput: String?
    /// `nil`: the same as the standard output.
    public var standardError: String?
    /// Where both go instead of these two; `nil`: there.
    public var streams: Streams?
    /// What the script is kept from, and what it alone sees; `nil`: nothing.
    public var sandbox: Sandbox?
    /// Opaque to the shim, which copies it into the record.
    public var origin: [UInt8] = []

    /// A value for a file of the attempt's cgroup, as the kernel reads it.
    public struct CgroupLimit: Sendable, Hashable {
        /// `memory.max`
        public var file: String
        public var value: String

        public init(file: String, value: String) {
            self.file = file
            self.value = value
        }
    }

    /// The clocks beside `timeoutStart` and `timeoutStop`.
    public struct Times: Sendable, Hashable {
        public var runtimeMax = TimeSpan.infinity
        public var runtimeRandomizedExtra = TimeSpan.microseconds(0)
        /// 0 and infinity: none.
        public var watchdog = TimeSpan.infinity
        /// 0 and infinity: none.
        public var silence = TimeSpan.infinity
        public var silenceAction = TaskSettings.SilenceAction.stop
        /// `nil`: as `timeoutStop`.
        public var timeoutAbort: TimeSpan?

        public init() {}
    }

    /// The signals of a stop beside `killSignal`.
    public struct Signals: Sendable, Hashable {
        public var final: UInt8 = 9
        public var watchdog: UInt8 = 6
        /// `nil`: as `killSignal`.
        public var restart: UInt8?
        public var sendSIGHUP = false

        public init() {}
    }

    /// `StandardOutput=` and `StandardError=` as the script's process opens them, with the run's rights.
    public struct Streams: Sendable, Hashable {
        public var output: TaskSettings.Output
        public var errors: TaskSettings.Output
        /// journald's stream socket.
        public var journal: String
        /// What the journal's entries are marked with.
        public var identifier: String
        /// The stream's first line.
        public var mark: String
        /// What journald takes for the unit of a writer that is gone before it looks; only root is believed.
        public var unit: String?
        /// `<N>` at the beginning of a line is its priority (sd-daemon(3)).
        public var levelPrefix: Bool

        public init(
            output: TaskSettings.Output, errors: TaskSettings.Output, journal: String, identifier: String, mark: String,
            levelPrefix: Bool
        ) {
            self.output = output
            self.errors = errors
            self.journal = journal
            self.identifier = identifier
            self.mark = mark
            self.levelPrefix = levelPrefix
        }
    }

    public init(
        run: RunID, attempt: Int, invocation: InvocationID, boot: BootID, script: CheckedScript, arguments: [String],
        uid: UInt32, gid: UInt32, recordsDirectory: String, endsDirectory: String
    ) {
        self.run = run
        self.attempt = attempt
        self.invocation = invocation
        self.boot = boot
        self.script = script
        self.arguments = arguments
        self.uid = uid
        self.gid = gid
        self.recordsDirectory = recordsDirectory
        self.endsDirectory = endsDirectory
    }
}

/// A launch that cannot be written down for a shim.
public enum SpecificationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A text that the kernel would cut at its NUL; named, not shown.
    case containsNUL(String)
    case noArguments
    case attemptOutOfRange(Int)
    case tooLarge(bytes: Int, limit: Int)

    public var description: String {
        switch self {
        case .containsNUL(let what): "\(what) contains a NUL character"
        case .noArguments: "the argument list is empty"
        case .attemptOutOfRange(let number): "\(number) is no attempt number"
        case .tooLarge(let bytes, let limit):
            "arguments, environment and the run's own description have \(bytes) bytes, more than \(limit)"
        }
    }
}
