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
        // Most are asked for while their first attempt goes on: nothing is kept of that.
        guard run.attempts.contains(where: { $0.state?.isFinal == true }) else { return Wire.GetRun.Reply(run: wire) }
        // A run that is known is shown, also while the store cannot be read.
        let tails = (try? await supervisor.tails(of: run.id)) ?? [:]
        for index in wire.attempts.indices where run.attempts[index].state?.isFinal == true {
            wire.attempts[index].output = tails[run.attempts[index].number].map {
                Wire.Output(lines: $0.lines, cut: $0.isCut)
            }
        }
        return Wire.GetRun.Reply(run: wire)
    }
}
