import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    func cancel(
        _ request: Wire.Cancel.Request, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> Wire.Cancel.Reply {
        let run = try await visibleRun(request.run, caller, to: "cancel")
        do throws(RetryRefusal) {
            try await supervisor.cancel(run.id, by: caller.uid)
        } catch {
            throw error.failure(run.id, to: "cancel", remedy: "faf kill \(run.id) stops it")
        }
        return Wire.Cancel.Reply(run: try await visibleRun(request.run, caller, to: "cancel").wire)
    }
}
