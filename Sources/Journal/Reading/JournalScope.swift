internal import TaskModel

/// Which entries of the journal are output, and whose: all of it is told by journald's trusted fields.
///
/// journald looks a line's writer up in /proc. One that is gone by then, as half of the commands of a shell script are,
/// has no cgroup in the journal, but its line has the id of its attempt's stream.
struct JournalScope: Sendable, Hashable {
    /// Of the attempts' cgroups as the hierarchy knows them, up to `17.1`; `nil`: they have none.
    var cgroups: String?
    /// Who connects the streams and writes their marks.
    var shimUID: UInt32
    var selection = OutputSelection()

    /// Whose an entry is.
    enum Owner: Sendable, Hashable {
        case wanted(OutputSource)
        case foreign
        /// To be asked for: it is neither selected nor refused.
        case unknown(OutputSource)
    }

    func owner(_ source: OutputSource?) -> Owner {
        guard let source else { return .foreign }
        if let attempt = selection.attempt(source) { return .wanted(attempt.source) }
        return selection.identifiers.isEmpty || selection.refused.contains(source) ? .foreign : .unknown(source)
    }

    /// Alternatives of fields that must all match, with the streams that are known so far.
    func alternatives(streams: [String: OutputSource?]) -> [[String]] {
        // What has no cgroup in the journal is found by its identifier or its stream alone.
        if !selection.identifiers.isEmpty {
            return selection.identifiers.map { ["SYSLOG_IDENTIFIER=\($0)", "_TRANSPORT=stdout"] }
        }
        var alternatives: [[String]] = []
        for attempt in selection.attempts.values.sorted(by: { $0.source.attempt < $1.source.attempt }) {
            let known = streams.filter { $0.value == attempt.source }.keys.sorted()
            alternatives += known.map { ["_STREAM_ID=\($0)"] }
            // Known or not: the script may have connected a stream of its own.
            alternatives.append(mark(of: attempt.source))
            if let cgroup = cgroup(of: attempt.source) {
                alternatives.append([cgroup, "_BOOT_ID=\(attempt.boot)"])
            }
        }
        // Without any match libsystemd would show everything.
        return alternatives.isEmpty ? [["_BOOT_ID=none"]] : alternatives
    }

    /// Nobody else can make such an entry in the name of this uid.
    func mark(of source: OutputSource) -> [String] {
        ["MESSAGE=\(source.mark)", "_TRANSPORT=stdout", "_UID=\(shimUID)"]
    }

    func cgroup(of source: OutputSource) -> String? {
        cgroups.map { "_SYSTEMD_CGROUP=\($0)\(source.run).\(source.attempt)" }
    }

    /// The attempt that an entry's cgroup tells. Its name is given again after a new installation, so it counts only for
    /// what is not older than the attempt.
    func source(cgroup: String?, boot: String?, realtime: UInt64) -> OutputSource? {
        guard let cgroup, let cgroups, cgroup.hasPrefix(cgroups) else { return nil }
        // It may have made cgroups below its own.
        let name = cgroup.dropFirst(cgroups.utf8.count).prefix { $0 != "/" }
        let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 2, let run = Int64(numbers[0]), let attempt = Int(numbers[1]) else { return nil }
        let source = OutputSource(run: RunID(rawValue: run), attempt: attempt, invocation: nil)
        guard let selected = selection.attempt(source) else { return source }
        let start = UInt64(clamping: selected.start?.microseconds ?? 0)
        guard boot == selected.boot.description, realtime &+ Self.slack >= start else { return nil }
        return selected.source
    }

    /// µs: the shim's clock and journald's are read at different moments.
    private static let slack: UInt64 = 2_000_000
}
