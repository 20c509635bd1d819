internal import CSystemd
internal import LinuxSystem

/// A place in the journal, moving over the entries of one query. For the thread alone that made it (sd-journal(3)).
struct JournalCursor: ~Copyable {
    private let journal: UnsafeMutableRawPointer
    private let query: JournalQuery
    private var known: [String] = []

    /// Entries looked at for their streams before reading begins.
    private static let scanned = 1000
    /// Bytes of one chunk, about.
    private static let chunk = 64 * 1024

    init(_ query: JournalQuery) throws(SystemError) {
        var opened: UnsafeMutableRawPointer?
        let result = faf_journal_open(&opened)
        guard result >= 0, let opened else {
            throw SystemError(call: "sd_journal_open", path: nil, errno: result < 0 ? -result : ErrorNumber.protocol)
        }
        journal = opened
        self.query = query
    }

    deinit { faf_journal_close(journal) }

    /// To the first entry, or before the `last` ones.
    mutating func start(last: Int64?) throws(SystemError) {
        setMatches()
        try findStreams()
        if let last {
            try check(faf_journal_seek_tail(journal), "sd_journal_seek_tail")
            // One back is at the last entry, and reading begins behind the place.
            try check(faf_journal_back(journal, UInt64(max(last, 0)) + 1), "sd_journal_previous_skip")
            if try reachesHead(from: last) { try check(faf_journal_seek_head(journal), "sd_journal_seek_head") }
        } else {
            try check(faf_journal_seek_head(journal), "sd_journal_seek_head")
        }
    }

    /// The text of the entries behind, as the script wrote it; empty at the journal's present end.
    mutating func read() throws(SystemError) -> [UInt8] {
        var text: [UInt8] = []
        while text.count < Self.chunk, try check(faf_journal_next(journal), "sd_journal_next") > 0 {
            guard isWanted() else { continue }
            let stream = field("_STREAM_ID")
            text += bytes("MESSAGE") ?? []
            switch field("_LINE_BREAK") {
            case "line-max", "pid-change", "eof": break  // there was no newline
            default: text.append(UInt8(ascii: "\n"))
            }
            // Only now: with other matches the present entry can no longer be read.
            if let stream, !known.contains(stream) {
                known.append(stream)
                setMatches()
            }
        }
        return text
    }

    /// Waits until there may be more.
    func wait(microseconds: UInt64) throws(SystemError) {
        try check(faf_journal_wait(journal, microseconds), "sd_journal_wait")
    }

    /// `back` lines were wanted: whether there are not more than that in front of the journal's end.
    private func reachesHead(from wanted: Int64) throws(SystemError) -> Bool {
        var count: Int64 = 0
        while count <= wanted, try check(faf_journal_next(journal), "sd_journal_next") > 0 { count += 1 }
        try check(faf_journal_seek_tail(journal), "sd_journal_seek_tail")
        let moved = try check(faf_journal_back(journal, UInt64(max(wanted, 0)) + 1), "sd_journal_previous_skip")
        return Int64(moved) <= wanted
    }

    private mutating func findStreams() throws(SystemError) {
        try check(faf_journal_seek_head(journal), "sd_journal_seek_head")
        for _ in 0..<Self.scanned where known.isEmpty {
            guard try check(faf_journal_next(journal), "sd_journal_next") > 0 else { break }
            if isWanted(), let stream = field("_STREAM_ID"), !known.contains(stream) { known.append(stream) }
        }
        setMatches()
    }

    private func isWanted() -> Bool {
        var realtime: UInt64 = 0
        guard faf_journal_realtime(journal, &realtime) >= 0 else { return false }
        return query.accepts(
            cgroup: field("_SYSTEMD_CGROUP"), stream: field("_STREAM_ID"), realtime: realtime, known: known)
    }

    private func setMatches() {
        faf_journal_flush_matches(journal)
        for alternative in query.alternatives(streams: known) {
            for match in alternative {
                let bytes = Array(match.utf8)
                // Fails for what is no field only.
                _ = faf_journal_match(journal, bytes, bytes.count)
            }
            _ = faf_journal_or(journal)
        }
    }

    private func field(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    private func bytes(_ name: String) -> [UInt8]? {
        var data: UnsafeRawPointer?
        var length = 0
        guard faf_journal_field(journal, name, &data, &length) >= 0, let data else { return nil }
        return Array(UnsafeRawBufferPointer(start: data, count: length).dropFirst(name.utf8.count + 1))
    }

    @discardableResult
    private func check(_ result: Int32, _ call: String) throws(SystemError) -> Int32 {
        if result < 0 { throw SystemError(call: call, path: nil, errno: -result) }
        return result
    }
}
