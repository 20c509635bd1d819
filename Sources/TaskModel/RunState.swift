/// What a run is doing, in the words that the CLI, the wire and the store use.
public enum RunState: String, Sendable, Hashable, Codable, CaseIterable {
    /// Waits for its time, its turn or its retry.
    case queued
    case starting
    case running
    case stopping
    case succeeded
    case failed
    case killed
    case timedOut = "timed-out"
    case cancelled
    /// How it ended is not known, and is never made up.
    case lost

    /// Nothing more happens to a run in this state.
    public var isFinal: Bool {
        switch self {
        case .queued, .starting, .running, .stopping: false
        case .succeeded, .failed, .killed, .timedOut, .cancelled, .lost: true
        }
    }
}

/// Why a run or an attempt ended: one word that programs compare and one sentence for people.
public struct Reason: Sendable, Hashable, Codable {
    /// The word is systemd's result word where it fits (`systemd.service(5)`, `$SERVICE_RESULT`).
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case success
        case exitCode = "exit-code"
        case signal
        case coreDump = "core-dump"
        case timeout
        case watchdog
        case oomKill = "oom-kill"
        /// `Type=notify` ended before `READY=1`.
        case `protocol`
        /// The kernel or the disk had no room for what the start needed.
        case resources
        /// A step between fork and the script's first instruction failed; the text names it.
        case exec
        case cancelled
        case memoryLimit = "memory-limit"
        case cpuLimit = "cpu-limit"
        case memoryPressure = "memory-pressure"
        case silence
        /// Its shim vanished without leaving an end.
        case lost
        /// The machine restarted.
        case reboot
        case shutdown
    }

    public var kind: Kind
    public var text: String

    public init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}
