import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    /// Bytes read at a time; a reply is not larger than what they decode to.
    private static let chunk = 64 * 1024
    /// How often a followed log is looked at: files tell nobody that they have grown.
    private static let interval = Duration.milliseconds(100)

    /// The output of the runs, one after another. To be followed are the run, or those of the task, also new ones.
    ///
    /// A task may write without end, and make its log look as long as it likes (ftruncate): so no reading takes longer or
    /// holds more than a chunk before others get their turn, and it ends when the client leaves.
    func readFiles(
        _ runs: [Run], _ request: Wire.ReadLog.Request, _ caller: PeerCredentials, _ log: inout LogWriter
    ) async throws(VarlinkFailure) {
        guard let task = request.task, request.follow == true else {
            return try await readFiles(runs, request, caller, nil, &log)
        }
        let access = access
        let feed = await supervisor.subscribe { $0.task == task && access.maySee(caller, $0) }
        do throws(VarlinkFailure) {
            let new = await supervisor.activeRuns(task: task) { run in
                access.maySee(caller, run) && runs.last.map { run.id > $0.id } ?? true
            }
            try await readFiles(runs + new.reversed(), request, caller, feed, &log)
            await supervisor.unsubscribe(feed)
        } catch {
            await supervisor.unsubscribe(feed)
            throw error
        }
    }

    private func readFiles(
        _ runs: [Run], _ request: Wire.ReadLog.Request, _ caller: PeerCredentials, _ feed: ChangeFeed?,
        _ log: inout LogWriter
    ) async throws(VarlinkFailure) {
        let follow = request.follow ?? false
        var readers = try await readers(runs, request)
        var known = Set(readers.keys)
        if let run = request.run, let reader = readers[RunID(rawValue: run)] {
            try await log.send([], place: String(reader.offset))
        }
        while true {
            for (id, reader) in readers.sorted(by: { $0.key < $1.key }) {
                var reader = reader
                // Asked before the file is read, so that what was written before the end is read.
                let isOver = try await visibleRun(id.rawValue, caller, to: "read the log of").state.isFinal
                try await copy(id, &reader, isAlone: request.run != nil, &log)
                if isOver || !follow {
                    reader.finish()
                    try await log.send(reader.lines().map { OutputLine(text: $0, run: id) }, place: nil)
                }
                readers[id] = isOver || !follow ? nil : reader
            }
            if readers.isEmpty, feed == nil { break }
            do { try await Task.sleep(for: Self.interval) } catch { throw VarlinkFailure.clientGone }
            for id in feed?.changed() ?? [] where known.insert(id).inserted { readers[id] = LineReader() }
        }
        try await log.end()
    }

    /// Where each begins: in front of the last lines of all of them together.
    private func readers(
        _ runs: [Run], _ request: Wire.ReadLog.Request
    ) async throws(VarlinkFailure) -> [RunID: LineReader] {
        var readers: [RunID: LineReader] = [:]
        var wanted = request.lines
        for run in runs.reversed() {
            let id = run.id
            var reader = LineReader()
            if let after = request.after {
                guard let place = UInt64(after) else { throw .invalidParameter("after") }
                reader.offset = place
            } else if let lines = wanted {
                let tail = try await LogTail.find(
                    lines, size: host { (host) throws(HostRefusal) in try host.outputSize(of: id) }, chunk: Self.chunk
                ) { (offset, limit) throws(VarlinkFailure) in try output(of: id, from: offset, limit: limit) }
                reader.offset = tail.start
                wanted = lines - tail.lines
            }
            readers[id] = reader
        }
        return readers
    }

    private func copy(
        _ id: RunID, _ reader: inout LineReader, isAlone: Bool, _ log: inout LogWriter
    ) async throws(VarlinkFailure) {
        while true {
            let bytes = try output(of: id, from: reader.offset, limit: Self.chunk)
            if bytes.isEmpty { return }
            reader.take(bytes)
            try await log.send(
                reader.lines().map { OutputLine(text: $0, run: id) }, place: isAlone ? String(reader.place) : nil)
            await Task.yield()
            if Task.isCancelled { throw .clientGone }
        }
    }

    private func output(of id: RunID, from offset: UInt64, limit: Int) throws(VarlinkFailure) -> [UInt8] {
        try host { (host) throws(HostRefusal) in try host.output(of: id, from: offset, limit: limit) }
    }

    private func host<Value>(_ body: (any Host) throws(HostRefusal) -> Value) throws(VarlinkFailure) -> Value {
        do { return try body(host) } catch { throw unavailable(error) }
    }
}
