import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    /// How many runs one reply holds when there are several, and how many rows are read at a time.
    private static let page = 200
    /// How many attempts one reply holds, if it is not those of one run: each may be some KiB.
    private static let attemptsOfPage = 1000
    /// More do not go into one reply.
    private static let singleReply = 2000

    func listRuns(
        _ request: Wire.ListRuns.Request, _ caller: PeerCredentials, _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        var limit = request.limit ?? 20
        if limit < -1 { throw .invalidParameter("limit") }
        if limit == -1 { limit = .max }
        var batch = await supervisor.activeRuns(task: request.task) { access.maySee(caller, $0) }
        var before: RunID?
        while limit > 0 {
            while reply.wantsMore, batch.count >= Self.page {
                let part = Self.part(of: batch)
                batch.removeFirst(part.count)
                try await reply.send(Wire.ListRuns.Reply(runs: part.map(\.wire)).json, continues: true)
            }
            guard batch.count <= Self.singleReply else { throw .expectedMore }
            if Task.isCancelled { throw .clientGone }
            let rows: [Run]
            do {
                rows = try await supervisor.finishedRuns(task: request.task, before: before, limit: Self.page)
            } catch { throw error.failure }
            let seen = rows.filter { access.maySee(caller, $0) }.prefix(Int(clamping: limit))
            batch += seen
            limit -= Int64(seen.count)
            before = rows.last?.id
            if rows.count < Self.page { break }
        }
        while reply.wantsMore, case let part = Self.part(of: batch), part.count < batch.count {
            batch.removeFirst(part.count)
            try await reply.send(Wire.ListRuns.Reply(runs: part.map(\.wire)).json, continues: true)
        }
        try await reply.send(Wire.ListRuns.Reply(runs: batch.map(\.wire)).json, continues: false)
    }

    private static func part(of batch: [Run]) -> ArraySlice<Run> {
        var attempts = 0
        return batch.prefix(page).prefix { run in
            defer { attempts += run.attempts.count }
            return attempts == 0 || attempts + run.attempts.count <= attemptsOfPage
        }
    }
}
