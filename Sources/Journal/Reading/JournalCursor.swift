internal import LinuxSystem
internal import TaskModel

/// Goes over the output of a selection of attempts. For the thread alone that made it.
struct JournalCursor: ~Copyable {
    private let journal: JournalHandle
    private var scope: JournalScope
    private let start: OutputStart
    /// `nil`: of no attempt.
    private var streams: [String: OutputSource?] = [:]
    private var joiner = LineJoiner()

    private enum Phase { case new, back(found: Int64), reading }
    private var phase = Phase.new
    /// The present entry has not been looked at: whose it is had to be asked for.
    private var isPending = false
    /// The cursor of the last entry that was handed over whole; empty: there is none yet.
    private var place = ""

    /// Entries of a stream, or of a cgroup, looked at to learn whose it is.
    private static let scanned = 1000
    /// Streams, when all that has an identifier is looked through.
    private static let remembered = 10_000
    /// Bytes of one part, about.
    private static let chunk = 64 * 1024

    init(_ scope: JournalScope, from start: OutputStart) throws(SystemError) {
        journal = try JournalHandle()
        self.scope = scope
        self.start = start
    }

    mutating func select(_ selection: OutputSelection) {
        guard selection != scope.selection else { return }
        let alternatives = scope.alternatives(streams: streams)
        scope.selection = selection
        if scope.alternatives(streams: streams) != alternatives { setMatches() }
    }

    /// The lines behind; none at the journal's present end.
    mutating func read() throws(SystemError) -> OutputPart {
        if let source = try begin() { return .unknown(source) }
        var lines: [OutputLine] = []
        var size = 0
        while size < Self.chunk {
            guard try move(back: false) else { break }
            switch try owner() {
            case .foreign: break
            case .unknown(let source):
                isPending = true
                // What was found first is told first.
                return lines.isEmpty ? .unknown(source) : .lines(lines, place: place)
            case .wanted(let source):
                let stream = journal.field("_STREAM_ID")
                let text = journal.bytes(of: "MESSAGE") ?? []
                if !Self.isMark(text, of: source) {
                    lines += joiner.take(
                        try line(of: source), text, stream: stream, lineBreak: journal.field("_LINE_BREAK"))
                    size += text.count + 100
                }
                if joiner.isEmpty { place = try journal.cursor() }
                // Last: with other matches the present entry can no longer be read.
                if let stream { learn(stream, source) }
            }
        }
        return .lines(lines, place: place)
    }

    /// What had no newline at its end.
    mutating func rest() -> [OutputLine] { joiner.rest() }

    func wait(microseconds: UInt64) throws(SystemError) { try journal.wait(microseconds: microseconds) }

    // MARK: The beginning

    /// Goes to where reading begins; whose an entry is that it has to know about, if it does.
    private mutating func begin() throws(SystemError) -> OutputSource? {
        if case .new = phase {
            try findStreams()
            phase = .reading
            if let place = start.after, !place.isEmpty {
                try journal.seek(cursor: place)
                self.place = place
                // Without its entry, reading begins with the one behind.
                if try journal.next() { isPending = try !journal.isAt(place) }
            } else if start.last != nil, start.after == nil {
                try journal.seekTail()
                phase = .back(found: 0)
            } else if let since = start.since {
                try journal.seek(realtime: UInt64(clamping: since.microseconds))
            } else {
                try journal.seekHead()
            }
        }
        guard case .back(var found) = phase, let last = start.last else { return nil }
        while true {
            guard try move(back: true) else { break }
            if let since = start.since, try journal.realtime() < UInt64(clamping: since.microseconds) {
                place = try journal.cursor()
                phase = .reading
                return nil
            }
            switch try owner() {
            case .foreign: break
            case .unknown(let source):
                isPending = true
                phase = .back(found: found)
                return source
            case .wanted(let source):
                if !Self.isMark(journal.bytes(of: "MESSAGE") ?? [], of: source) { found += 1 }
                // Reading begins behind this one.
                if found > last {
                    place = try journal.cursor()
                    phase = .reading
                    return nil
                }
            }
        }
        try journal.seekHead()
        phase = .reading
        return nil
    }

    /// To the next entry to look at; false: there is none.
    private mutating func move(back: Bool) throws(SystemError) -> Bool {
        if isPending {
            isPending = false
            return true
        }
        return try back ? journal.previous() : journal.next()
    }

    // MARK: Whose entries are

    /// For the present entry, which stays.
    private mutating func owner() throws(SystemError) -> JournalScope.Owner {
        let own = try sourceByCgroup()
        guard let stream = journal.field("_STREAM_ID") else { return scope.owner(own) }
        if let known = streams[stream] { return scope.owner(known) }
        if let mark = mark() { return scope.owner(mark) }
        // Where attempts are selected one by one, no other stream has a line here.
        guard !scope.selection.identifiers.isEmpty else { return scope.owner(own) }
        let cursor = try journal.cursor()
        let found = try source(ofStream: stream)
        learn(stream, found)
        setMatches()
        try journal.seek(cursor: cursor)
        return try journal.next() ? scope.owner(found) : .foreign
    }

    private static func isMark(_ text: [UInt8], of source: OutputSource) -> Bool {
        text.starts(with: "run ".utf8) && text.elementsEqual(source.mark.utf8)
    }

    private func mark() -> OutputSource? {
        guard let source = journal.field("MESSAGE").flatMap({ OutputSource(mark: $0) }),
            journal.field("_UID") == String(scope.shimUID), journal.field("_TRANSPORT") == "stdout"
        else { return nil }
        return source
    }

    private func sourceByCgroup() throws(SystemError) -> OutputSource? {
        scope.source(
            cgroup: journal.field("_SYSTEMD_CGROUP"), boot: journal.field("_BOOT_ID"), realtime: try journal.realtime())
    }

    /// By its mark, or if that is gone by the first writer whom journald could look at. The place is lost.
    private func source(ofStream stream: String) throws(SystemError) -> OutputSource? {
        journal.match([["_STREAM_ID=\(stream)"]])
        try journal.seekHead()
        for _ in 0..<Self.scanned {
            guard try journal.next() else { break }
            if let mark = mark() { return mark }
            if let source = try sourceByCgroup() { return source }
        }
        return nil
    }

    /// The streams of the selected attempts, as far as they are there: their lines count before they are read.
    private mutating func findStreams() throws(SystemError) {
        for attempt in scope.selection.attempts.values {
            journal.match([scope.mark(of: attempt.source)])
            try journal.seekHead()
            if try journal.next(), let stream = journal.field("_STREAM_ID") {
                streams[stream] = attempt.source
                continue
            }
            guard let cgroup = scope.cgroup(of: attempt.source) else { continue }
            journal.match([[cgroup, "_BOOT_ID=\(attempt.boot)"]])
            try journal.seekHead()
            for _ in 0..<Self.scanned {
                guard try journal.next() else { break }
                guard let stream = journal.field("_STREAM_ID"), try sourceByCgroup() == attempt.source else { continue }
                streams[stream] = attempt.source
                break
            }
        }
        setMatches()
    }

    private mutating func learn(_ stream: String, _ source: OutputSource?) {
        // What is forgotten is found again.
        if streams.count >= Self.remembered { streams = [:] }
        guard streams.updateValue(source, forKey: stream) == nil, scope.selection.identifiers.isEmpty else { return }
        setMatches()
    }

    private func setMatches() { journal.match(scope.alternatives(streams: streams)) }

    private func line(of source: OutputSource) throws(SystemError) -> OutputLine {
        var line = OutputLine(text: "", run: source.run)
        line.attempt = source.attempt
        line.time = Timestamp(microseconds: Int64(clamping: try journal.realtime()))
        line.pid = journal.field("_PID").flatMap { Int32($0) }
        line.priority = journal.field("PRIORITY").flatMap { UInt8($0) }
        line.identifier = journal.field("SYSLOG_IDENTIFIER")
        return line
    }
}
