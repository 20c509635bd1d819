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
        let mayFire = entry.settings.map { self.mayFire($0, caller) } ?? false
        return Wire.TaskInfo(
            name: entry.name, description: entry.description, loadState: entry.state.rawValue,
            path: entry.path, problems: problems(entry.diagnostics, for: caller, mayFire: mayFire),
            mayFire: mayFire,
            activeRuns: Int64(await supervisor.activeNumbers(task: entry.name).count))
    }

    /// A message may quote its line, and a line may hold a secret (Environment=): whoever may not fire the task is told
    /// the place alone.
    func problems(_ diagnostics: [Diagnostic], for caller: PeerCredentials, mayFire: Bool) -> [Wire.Problem] {
        diagnostics.map { diagnostic in
            var problem = diagnostic.wire
            if !mayFire, caller.uid != 0, caller.uid != onlyUser {
                problem.message = "this line has an error"
                problem.remedy = "root sees it with faf verify"
            }
            return problem
        }
    }

    func mayFire(_ settings: TaskSettings, _ caller: PeerCredentials) -> Bool {
        guard let identity = try? host.identity(for: settings) else { return caller.uid == 0 }
        return access.mayFire(caller, access.rights(settings, identity: identity, firedBy: caller.uid))
    }
}
