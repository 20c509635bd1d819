import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import TaskUnits
import VarlinkServer

extension FafService {
    func listTasks(_ caller: PeerCredentials) async -> Wire.ListTasks.Reply {
        var tasks: [Wire.TaskInfo] = []
        for entry in catalog.current.tasks { tasks.append(await info(entry, caller)) }
        return Wire.ListTasks.Reply(tasks: tasks)
    }

    func info(_ entry: CatalogEntry, _ caller: PeerCredentials) async -> Wire.TaskInfo {
        Wire.TaskInfo(
            name: entry.name, description: entry.description, loadState: entry.state.rawValue,
            path: entry.path, problems: entry.diagnostics.map(\.wire),
            mayFire: entry.settings.map { mayFire($0, caller) } ?? false,
            activeRuns: Int64(await supervisor.activeRuns(ofTask: entry.name).count))
    }

    func mayFire(_ settings: TaskSettings, _ caller: PeerCredentials) -> Bool {
        guard let identity = try? host.identity(for: settings) else { return caller.uid == 0 }
        return access.mayFire(caller, access.rights(settings, identity: identity, firedBy: caller.uid))
    }
}
