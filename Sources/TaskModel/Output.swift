/// The attempt that something was written by, as far as the journal tells it.
public struct OutputSource: Sendable, Hashable {
    public var run: RunID
    public var attempt: Int
    /// `nil`: told by the attempt's cgroup, whose name does not have it.
    public var invocation: InvocationID?

    public init(run: RunID, attempt: Int, invocation: InvocationID?) {
        self.run = run
        self.attempt = attempt
        self.invocation = invocation
    }

    /// The first line of an attempt's stream to the journal, written by its shim: all lines of one stream have the same
    /// `_STREAM_ID`, so this tells whose they are.
    public var mark: String {
        "run \(run), attempt \(attempt)" + (invocation.map { ", invocation \($0)" } ?? "")
    }

    /// Reads a mark; `nil`: it is none.
    public init?(mark: String) {
        let words = mark.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: false)
        guard words.count == 6, let run = Int64(words[1].dropLast()), let attempt = Int(words[3].dropLast()),
            let invocation = InvocationID(words[5])
        else { return nil }
        self.init(run: RunID(rawValue: run), attempt: attempt, invocation: invocation)
        guard self.mark == mark else { return nil }
    }
}

/// Whose output is wanted.
public struct OutputSelection: Sendable, Hashable {
    public struct Attempt: Sendable, Hashable {
        public var source: OutputSource
        public var boot: BootID
        /// Nothing of it is older; `nil`: not known.
        public var start: Timestamp?
    }

    /// By run and number.
    public private(set) var attempts: [OutputSource: Attempt] = [:]
    /// If there are any, all that the journal has of them is looked through, and whose it is is asked for.
    public var identifiers: [String] = []
    /// Asked for, and not wanted.
    public var refused: Set<OutputSource> = []

    public init() {}

    public mutating func add(_ attempt: TaskModel.Attempt, of run: Run) {
        attempts[OutputSource(run: run.id, attempt: attempt.number, invocation: nil)] = Attempt(
            source: OutputSource(run: run.id, attempt: attempt.number, invocation: attempt.invocation),
            boot: attempt.boot, start: attempt.startedAt ?? run.queuedAt)
    }

    /// The wanted attempt that this source is.
    public func attempt(_ source: OutputSource) -> Attempt? {
        var key = source
        key.invocation = nil
        guard let attempt = attempts[key] else { return nil }
        return source.invocation == nil || source.invocation == attempt.source.invocation ? attempt : nil
    }
}

/// A line that a run has written. What is `nil` is not known where it was found: a file holds text alone.
public struct OutputLine: Sendable, Hashable {
    /// Without its newline; what is not UTF-8 is U+FFFD.
    public var text: String
    public var run: RunID
    public var attempt: Int?
    public var time: Timestamp?
    /// The process that wrote it.
    public var pid: Int32?
    /// As syslog(3) has them, 0 to 7.
    public var priority: UInt8?
    public var identifier: String?

    public init(text: String, run: RunID) {
        self.text = text
        self.run = run
    }
}

/// What reading has found.
public enum OutputPart: Sendable, Hashable {
    /// None: nothing more is there now. `place` is behind the last one, for `OutputStart.after`.
    case lines([OutputLine], place: String)
    /// Something of an attempt that is neither selected nor refused: reading goes on when it is one of the two.
    case unknown(OutputSource)
}

/// Where reading begins.
public struct OutputStart: Sendable, Hashable {
    /// With the last so many lines.
    public var last: Int64?
    public var since: Timestamp?
    /// Behind this place, as an earlier reader told it; `last` does not matter then.
    public var after: String?

    public init(last: Int64? = nil, since: Timestamp? = nil, after: String? = nil) {
        self.last = last
        self.since = since
        self.after = after
    }
}

extension TaskSettings {
    /// Standard output or standard error goes to the journal.
    public var writesJournal: Bool {
        standardOutput != nil && (standardOutput == .journal || standardError == .journal)
    }
}

extension Run {
    /// `SYSLOG_IDENTIFIER` of what it writes to the journal.
    public var journalIdentifier: String { settings.syslogIdentifier ?? task }
}
