import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    func watch(
        _ request: Wire.Watch.Request, _ caller: PeerCredentials, _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        guard reply.wantsMore else { throw .expectedMore }
        if request.run != nil, request.task != nil { throw .invalidParameter("task") }
        let access = access
        let feed = await supervisor.subscribe { run in
            if let number = request.run { return run.id.rawValue == number }
            return (request.task == nil || run.task == request.task) && access.maySee(caller, run)
        }
        do throws(VarlinkFailure) {
            try await follow(feed, request, caller, reply)
            await supervisor.unsubscribe(feed)
        } catch {
            await supervisor.unsubscribe(feed)
            throw error
        }
    }

    private func follow(
        _ feed: ChangeFeed, _ request: Wire.Watch.Request, _ caller: PeerCredentials, _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        var shown: [RunID: Run] = [:]
        if let number = request.run {
            let run = try await visibleRun(number, caller, to: "watch")
            try await reply.send(Wire.Watch.Reply(run: run.wire).json, continues: !run.state.isFinal)
            if run.state.isFinal { return }
            shown[run.id] = run
        } else {
            for run in await supervisor.activeRuns(task: request.task, where: { access.maySee(caller, $0) }) {
                try await reply.send(Wire.Watch.Reply(run: run.wire).json, continues: true)
                shown[run.id] = run
            }
        }
        while let id = await feed.next() {
            let run: Run?
            do { run = try await supervisor.run(id) } catch { throw error.failure }
            guard let run, access.maySee(caller, run), shown[id] != run else { continue }
            let isLast = run.state.isFinal && request.run != nil
            try await reply.send(Wire.Watch.Reply(run: run.wire).json, continues: !isLast)
            if isLast { return }
            shown[id] = run.state.isFinal ? nil : run
        }
        throw .clientGone
    }
}
