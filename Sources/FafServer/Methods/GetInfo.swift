import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    func getInfo(_ caller: PeerCredentials) async -> Wire.GetInfo.Reply {
        var active: [String: Int64] = [:]
        for run in await supervisor.activeRuns(where: { access.maySee(caller, $0) }) {
            active[run.state.rawValue, default: 0] += 1
        }
        return Wire.GetInfo.Reply(
            version: version, pid: Int64(processID), mode: onlyUser == nil ? "system" : "user", active: active,
            missing: host.missingProtections().map {
                Wire.Missing(kind: $0.kind, text: $0.text, remedy: $0.remedy)
            }, units: host.unitDirectories, tasks: host.tasksCgroup)
    }
}
