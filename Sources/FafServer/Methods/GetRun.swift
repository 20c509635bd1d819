import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    func getRun(
        _ request: Wire.GetRun.Request, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> Wire.GetRun.Reply {
        let run = try await visibleRun(request.run, caller, to: "see")
        var wire = run.wire
        let tails: [Int: OutputTail]
        do { tails = try await supervisor.tails(of: run.id) } catch { throw error.failure }
        for index in wire.attempts.indices where run.attempts[index].state?.isFinal == true {
            wire.attempts[index].output = tails[run.attempts[index].number].map {
                Wire.Output(lines: $0.lines, cut: $0.isCut)
            }
        }
        return Wire.GetRun.Reply(run: wire)
    }
}
