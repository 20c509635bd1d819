import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    /// An end is told once it is durable.
    func wait(
        _ request: Wire.Wait.Request, _ caller: PeerCredentials, _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        var pending: Set<RunID> = []
        for number in request.runs { pending.insert(try await visibleRun(number, caller, to: "wait for").id) }
        guard !pending.isEmpty else { throw .invalidParameter("runs") }

        let feed = await supervisor.subscribe(only: pending)
        do throws(VarlinkFailure) {
            var ended: [Run] = []
            for id in pending.sorted() {
                try await collect(id, &pending, &ended, caller, reply)
            }
            while !pending.isEmpty {
                guard let id = await feed.next() else { throw VarlinkFailure.clientGone }
                if pending.contains(id) { try await collect(id, &pending, &ended, caller, reply) }
            }
            await supervisor.unsubscribe(feed)
            if !reply.wantsMore {
                try await reply.send(Wire.Wait.Reply(runs: ended.map(\.wire)).json, continues: false)
            }
        } catch {
            await supervisor.unsubscribe(feed)
            throw error
        }
    }

    private func collect(
        _ id: RunID, _ pending: inout Set<RunID>, _ ended: inout [Run], _ caller: PeerCredentials,
        _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        let run = try await visibleRun(id.rawValue, caller, to: "wait for")
        guard run.state.isFinal else { return }
        pending.remove(id)
        ended.append(run)
        if reply.wantsMore {
            try await reply.send(Wire.Wait.Reply(runs: [run.wire]).json, continues: !pending.isEmpty)
        }
    }
}
