import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import TaskUnits
import VarlinkServer

extension FafService {
    /// A unit's files may hold what only those who may fire it should know (Environment=).
    func getTask(
        _ request: Wire.GetTask.Request, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> Wire.GetTask.Reply {
        let unit = try usableTask(request.task, caller)
        guard mayFire(unit.settings, caller) else { throw access.denied(caller, "see", task: request.task).failure }
        let task = Wire.TaskInfo(
            name: unit.name, description: unit.settings.description, loadState: "loaded",
            path: unit.sources.first?.path ?? "", problems: unit.diagnostics.map(\.wire), mayFire: true,
            activeRuns: Int64(await supervisor.activeNumbers(task: unit.name).count))
        return Wire.GetTask.Reply(
            task: task,
            sources: unit.sources.map { Wire.UnitSource(path: $0.path, text: $0.text) },
            settings: unit.effective.map {
                Wire.Setting(section: $0.section, key: $0.key, value: $0.value, source: $0.source)
            })
    }
}
