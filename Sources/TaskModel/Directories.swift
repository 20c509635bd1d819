/// Where the supervisor keeps what (hier(7); in user mode the XDG base directories).
public struct Directories: Sendable, Hashable {
    /// `/run/faf`: socket, notify sockets, live records. On tmpfs.
    public var runtime: String
    /// `/var/lib/faf`: database, ends, input and results.
    public var state: String
    /// `/var/log/faf`: output of runs where there is no journal.
    public var logs: String
    /// Unit search path, the first wins.
    public var units: [String]
    /// `/etc/faf`: `fafd.conf`.
    public var configuration: String

    public init(
        runtime: String, state: String, logs: String, units: [String], configuration: String = "/etc/faf"
    ) {
        self.runtime = runtime
        self.state = state
        self.logs = logs
        self.units = units
        self.configuration = configuration
    }

    public var socket: String { runtime + "/fafd.sock" }
    /// Live records, one file per attempt, named by its invocation id.
    public var records: String { runtime + "/runs" }
    public var notifySockets: String { runtime + "/notify" }
    /// Empty; each run that has credentials finds its own here (`$CREDENTIALS_DIRECTORY`).
    public var credentials: String { runtime + "/credentials" }
    /// Of no content and no mode; stands for files that a run cannot reach.
    public var emptyFile: String { runtime + "/empty" }
    /// Holds the absolute path of the delegated cgroup subtree.
    public var tasksCgroup: String { runtime + "/tasks" }
    public var ends: String { state + "/ends" }
    public var inputAndResults: String { state + "/io" }
    public var database: String { state + "/faf.db" }
    public var nextNumber: String { state + "/next" }
    public var lock: String { state + "/lock" }
    /// Locked as well, so that two state directories cannot share one runtime directory.
    public var runtimeLock: String { runtime + "/lock" }
    /// Damaged records are moved here and named in the log.
    public var damaged: String { state + "/damaged" }

    /// Where journald's sockets are.
    public var journal = "/run/systemd/journal"
    /// What journald takes the output of processes from.
    public var journalStream: String { journal + "/stdout" }

    /// The unit that journald names in a line whose writer it could not look at any more: that of all tasks, so that
    /// `journalctl -u faf-tasks` shows such lines, and its rate limit is theirs.
    public static let journalUnit = "faf-tasks.service"

    public func log(of run: RunID) -> String { "\(logs)/\(run).log" }
    public func inputAndResult(of run: RunID, attempt: Int) -> String { "\(inputAndResults)/\(run).\(attempt)" }

    /// The system-wide supervisor's.
    public static let system = Directories(
        runtime: "/run/faf", state: "/var/lib/faf", logs: "/var/log/faf",
        units: ["/etc/faf/units", "/run/faf/units", "/usr/local/lib/faf/units", "/usr/lib/faf/units"])

    /// A user's own, from the XDG variables of `environment` (XDG Base Directory Specification); `nil` if neither
    /// `HOME` nor the variables say where.
    public static func user(uid: UInt32, environment: [String: String]) -> Directories? {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        let home = value("HOME")
        guard let state = value("XDG_STATE_HOME") ?? home.map({ $0 + "/.local/state" }),
            let configuration = value("XDG_CONFIG_HOME") ?? home.map({ $0 + "/.config" }),
            let data = value("XDG_DATA_HOME") ?? home.map({ $0 + "/.local/share" })
        else { return nil }
        let runtime = value("XDG_RUNTIME_DIR") ?? "/run/user/\(uid)"
        return Directories(
            runtime: runtime + "/faf", state: state + "/faf", logs: state + "/faf/log",
            units: [configuration + "/faf/units", data + "/faf/units"], configuration: configuration + "/faf")
    }
}
