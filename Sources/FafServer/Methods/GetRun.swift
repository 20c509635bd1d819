import FafAPI
import LinuxSystem
import VarlinkServer

extension FafService {
    func getRun(
        _ request: Wire.GetRun.Request, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> Wire.GetRun.Reply {
        Wire.GetRun.Reply(run: try await visibleRun(request.run, caller, to: "see").wire)
    }
}
