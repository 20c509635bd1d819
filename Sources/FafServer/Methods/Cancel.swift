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
        try await cancel(run.id, caller, to: "cancel")
        return Wire.Cancel.Reply(run: try await visibleRun(request.run, caller, to: "cancel").wire)
    }

    func cancel(_ id: RunID, _ caller: PeerCredentials, to verb: String) async throws(VarlinkFailure) {
        do throws(RetryRefusal) {
            try await supervisor.cancel(id, by: caller.uid)
        } catch {
            throw error.failure(id, to: verb, remedy: "faf kill \(id) stops it")
        }
    }
}
