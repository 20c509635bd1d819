import FafAPI
import LinuxSystem
import TaskModel
import VarlinkServer

extension FafService {
    /// Bytes read at a time; a reply is not larger than what they decode to.
    private static let chunk = 64 * 1024
    /// A single reply does not stand for more than this; whoever wants more takes it in pieces.
    private static let singleReply = 256 * 1024
    /// How often a followed log is looked at: files tell nobody that they have grown.
    private static let followInterval = Duration.milliseconds(100)

    /// A task may write without end, and make its log look as long as it likes (ftruncate): so no reading takes longer or
    /// holds more than a chunk before others get their turn, and it ends when the client leaves.
    func readLog(
        _ request: Wire.ReadLog.Request, _ caller: PeerCredentials, _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        if let lines = request.lines, lines < 0 { throw .invalidParameter("lines") }
        let follow = request.follow ?? false
        if follow, !reply.wantsMore { throw .expectedMore }
        let run = try await visibleRun(request.run, caller, to: "read the log of")
        let journal: (any OutputReader)?
        do { journal = try host.journal(of: run, last: request.lines) } catch { throw unavailable(error) }
        if let journal { return try await readJournal(journal, request, caller, reply) }
        let id = run.id

        var reader = LineReader()
        if let lines = request.lines {
            reader.offset = try await LogTail.start(
                of: lines, size: host { (host) throws(HostRefusal) in try host.outputSize(of: id) }, chunk: Self.chunk
            ) { (offset, limit) throws(VarlinkFailure) in try output(of: id, from: offset, limit: limit) }
        }
        let start = reader.offset
        while true {
            // Asked before the file is read, so that what was written before the end is read.
            let isOver = try await visibleRun(request.run, caller, to: "read the log of").state.isFinal
            while true {
                let bytes = try output(of: id, from: reader.offset, limit: Self.chunk)
                if bytes.isEmpty { break }
                reader.take(bytes)
                if reply.wantsMore {
                    try await reply.send(Wire.ReadLog.Reply(lines: reader.lines()).json, continues: true)
                } else if reader.offset - start > UInt64(Self.singleReply) {
                    throw .expectedMore
                }
                await Task.yield()
                if Task.isCancelled { throw .clientGone }
            }
            if !follow || isOver { break }
            do { try await Task.sleep(for: Self.followInterval) } catch { throw .clientGone }
        }
        reader.finish()
        try await reply.send(Wire.ReadLog.Reply(lines: reader.lines()).json, continues: false)
    }

    /// The same from the journal, whose reader waits for what comes.
    private func readJournal(
        _ journal: any OutputReader, _ request: Wire.ReadLog.Request, _ caller: PeerCredentials, _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        let follow = request.follow ?? false
        var reader = LineReader()
        while true {
            let isOver = try await visibleRun(request.run, caller, to: "read the log of").state.isFinal
            while true {
                let bytes: [UInt8]
                do { bytes = try await journal.next(isOver ? .last : follow ? .waiting : .now) } catch {
                    throw unavailable(error)
                }
                if bytes.isEmpty { break }
                reader.take(bytes)
                if reply.wantsMore {
                    try await reply.send(Wire.ReadLog.Reply(lines: reader.lines()).json, continues: true)
                } else if reader.offset > UInt64(Self.singleReply) {
                    throw .expectedMore
                }
                if Task.isCancelled { throw .clientGone }
            }
            if !follow || isOver { break }
            if Task.isCancelled { throw .clientGone }
        }
        reader.finish()
        try await reply.send(Wire.ReadLog.Reply(lines: reader.lines()).json, continues: false)
    }

    private func output(of id: RunID, from offset: UInt64, limit: Int) throws(VarlinkFailure) -> [UInt8] {
        try host { (host) throws(HostRefusal) in try host.output(of: id, from: offset, limit: limit) }
    }

    private func host<Value>(_ body: (any Host) throws(HostRefusal) -> Value) throws(VarlinkFailure) -> Value {
        do { return try body(host) } catch { throw unavailable(error) }
    }

    private func unavailable(_ error: HostRefusal) -> VarlinkFailure {
        Wire.Unavailable(message: "\(error.subject): \(error.message)", remedy: error.remedy).failure
    }
}
