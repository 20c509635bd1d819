import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import TaskUnits
import Varlink
import VarlinkServer

extension FafService {
    func readLog(
        _ request: Wire.ReadLog.Request, _ caller: PeerCredentials, _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        if let lines = request.lines, lines < 0 { throw .invalidParameter("lines") }
        if request.follow == true, !reply.wantsMore { throw .expectedMore }
        var log = LogWriter(reply, details: request.details ?? false)
        switch (request.run, request.task) {
        case (let number?, nil):
            let run = try await visibleRun(number, caller, to: "read the log of")
            if run.settings.writesJournal { return try await readJournal([], request, caller, &log) }
            try refuseWithoutJournal(request, "the output of run \(number) is in a file")
            try await readFiles([run], request, caller, &log)
        case (nil, let task?):
            if request.attempt != nil { throw .invalidParameter("attempt") }
            let (runs, identifiers) = try await latest(task, caller)
            if !identifiers.isEmpty { return try await readJournal(identifiers, request, caller, &log) }
            try refuseWithoutJournal(request, "the output of the runs of \(task) is in files")
            if request.after != nil { throw .invalidParameter("after") }
            try await readFiles(runs, request, caller, &log)
        case (nil, nil), (.some, .some):
            throw .invalidParameter(request.run == nil ? "run" : "task")
        }
    }

    /// Runs of a task that are looked at: all that are not over, and so many of those that are.
    private static let finished = 100

    /// The task's latest runs that the caller may see, the oldest first, and what they are called in the journal, as far
    /// as they write there.
    private func latest(
        _ task: String, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> (runs: [Run], identifiers: [String]) {
        var runs = await supervisor.activeRuns(task: task) { access.maySee(caller, $0) }
        do {
            runs += try await supervisor.finishedRuns(task: task, before: nil, limit: Self.finished)
                .filter { access.maySee(caller, $0) }
        } catch { throw error.failure }
        if !runs.isEmpty {
            let identifiers = Set(runs.filter(\.settings.writesJournal).map(\.journalIdentifier))
            return (runs.sorted { $0.id < $1.id }, identifiers.sorted())
        }
        let unit = try usableTask(task, caller)
        guard mayFire(unit.settings, caller) else { throw access.denied(caller, "read the log of", task: task).failure }
        let settings = host.settled(unit.settings)
        return ([], settings.writesJournal ? [settings.syslogIdentifier ?? unit.name] : [])
    }

    private func refuseWithoutJournal(
        _ request: Wire.ReadLog.Request, _ why: String
    ) throws(VarlinkFailure) {
        guard request.since != nil || request.attempt != nil else { return }
        let name = request.since != nil ? "since" : "attempt"
        let missing = request.since != nil ? "the time of each line" : "the attempt of each line"
        throw Wire.BadParameter(
            parameter: name, message: "\(name): \(why), which does not tell \(missing)",
            remedy: "leave it out, or write to the journal (StandardOutput=journal in the unit)"
        ).failure
    }
}

/// Sends lines: as they come, or all of them in one reply to who wants no more than one.
struct LogWriter {
    /// A single reply does not stand for more bytes than this; whoever wants more takes it in pieces.
    private static let singleReply = 256 * 1024

    private let reply: ReplyWriter
    private let details: Bool
    private var kept: [OutputLine] = []
    private var keptSize = 0
    private var place: String?

    init(_ reply: ReplyWriter, details: Bool) {
        self.reply = reply
        self.details = details
    }

    mutating func send(_ lines: [OutputLine], place: String?) async throws(VarlinkFailure) {
        if reply.wantsMore {
            guard !lines.isEmpty || place != self.place else { return }
            self.place = place
            return try await reply.send(wire(lines), continues: true)
        }
        self.place = place
        kept += lines
        keptSize += lines.reduce(0) { $0 + $1.text.utf8.count + 1 }
        if keptSize > Self.singleReply { throw .expectedMore }
    }

    /// The last reply.
    func end() async throws(VarlinkFailure) { try await reply.send(wire(kept), continues: false) }

    private func wire(_ lines: [OutputLine]) -> JSON {
        var answer = Wire.ReadLog.Reply(place: place)
        if details { answer.entries = lines.map(\.wire) } else { answer.lines = lines.map(\.text) }
        return answer.json
    }
}

extension OutputLine {
    fileprivate var wire: Wire.LogLine {
        Wire.LogLine(
            text: text, run: run.rawValue, attempt: attempt.map { Int64($0) }, time: time?.microseconds,
            pid: pid.map { Int64($0) }, priority: priority.map { Int64($0) }, identifier: identifier)
    }
}
