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
        // One page after another: all at once they would take memory for all, and hold up callers while they are read.
        var active = await supervisor.activeNumbers(task: request.task) { access.maySee(caller, $0) }[...]
        guard reply.wantsMore || active.count <= Self.singleReply else { throw .expectedMore }
        var batch: [Run] = []
        var told: Set<RunID> = []
        while !active.isEmpty {
            if Task.isCancelled { throw .clientGone }
            // One that is over meanwhile is among the rows that are read below; one that is over later is not told twice.
            let runs = await supervisor.present(active.prefix(Self.page))
            told.formUnion(runs.map(\.id))
            batch += runs
            active = active.dropFirst(Self.page)
            while reply.wantsMore, batch.count >= Self.page { try await send(&batch, reply) }
        }
        var before: RunID?
        while limit > 0 {
            while reply.wantsMore, batch.count >= Self.page { try await send(&batch, reply) }
            guard batch.count <= Self.singleReply else { throw .expectedMore }
            if Task.isCancelled { throw .clientGone }
            let rows: [Run]
            do {
                rows = try await supervisor.finishedRuns(task: request.task, before: before, limit: Self.page)
            } catch { throw error.failure }
            let seen = rows.filter { !told.contains($0.id) && access.maySee(caller, $0) }.prefix(Int(clamping: limit))
            batch += seen
            limit -= Int64(seen.count)
            before = rows.last?.id
            if rows.count < Self.page { break }
        }
        while reply.wantsMore, Self.part(of: batch).count < batch.count { try await send(&batch, reply) }
        try await reply.send(Wire.ListRuns.Reply(runs: batch.map(\.wire)).json, continues: false)
    }

    private func send(_ batch: inout [Run], _ reply: ReplyWriter) async throws(VarlinkFailure) {
        let part = Self.part(of: batch)
        batch.removeFirst(part.count)
        try await reply.send(Wire.ListRuns.Reply(runs: part.map(\.wire)).json, continues: true)
    }

    private static func part(of batch: [Run]) -> ArraySlice<Run> {
        var attempts = 0
        return batch.prefix(page).prefix { run in
            defer { attempts += run.attempts.count }
            return attempts == 0 || attempts + run.attempts.count <= attemptsOfPage
        }
    }
}
