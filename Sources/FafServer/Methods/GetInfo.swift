import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    func getInfo(_ caller: PeerCredentials) async throws(VarlinkFailure) -> Wire.GetInfo.Reply {
        let states: [RunState: Int]
        do { states = try await supervisor.activeStates { access.maySee(caller, $0) } } catch { throw error.failure }
        let active = Dictionary(uniqueKeysWithValues: states.map { ($0.rawValue, Int64($1)) })
        return Wire.GetInfo.Reply(
            version: version, pid: Int64(processID), mode: onlyUser == nil ? "system" : "user", active: active,
            missing: host.missingProtections().map {
                Wire.Missing(kind: $0.kind, text: $0.text, remedy: $0.remedy)
            }, units: host.unitDirectories, tasks: host.tasksCgroup)
    }
}
