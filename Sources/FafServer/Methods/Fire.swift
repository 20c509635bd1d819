import FafAPI
import LinuxSystem
public import Supervisor
import TaskModel
import TaskUnits
import Varlink
import VarlinkServer

extension FafService: Triggering {
    /// In the design's order: find the unit, authorise, check the parameters, check the script, number the run.
    func fire(_ request: Wire.Fire.Request, _ caller: PeerCredentials) async throws(VarlinkFailure) -> Wire.Fire.Reply {
        let request =
            isAtHand(request.task)
            ? try fireRequest(request, caller)
            : try await withTaskExecutorPreference(globalConcurrentExecutor) {
                () async throws(VarlinkFailure) in try await lookedUp(request, caller)
            }
        do { return Wire.Fire.Reply(run: try await supervisor.fire(request).wire) } catch { throw error.failure }
    }

    /// An instance of a template is read when it is fired, and its specifiers may stand for names.
    private func isAtHand(_ task: String) -> Bool {
        guard !task.utf8.contains(UInt8(ascii: "@")), case .found(let unit) = catalog.current.task(named: task) else {
            return false
        }
        return resolutions.isAtHand(unit.name, unit.settings)
    }

    /// On a thread that may hang.
    @concurrent
    private func lookedUp(
        _ request: Wire.Fire.Request, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> FireRequest {
        try fireRequest(request, caller)
    }

    private func fireRequest(
        _ request: Wire.Fire.Request, _ caller: PeerCredentials
    ) throws(VarlinkFailure) -> FireRequest {
        let (unit, identity, rights) = try fireableTask(request.task, caller)

        let parameters: [Parameter]
        do {
            parameters = try ParameterCheck.check(
                given: request.parameters?.parameters ?? [], policy: unit.settings.parameters,
                room: ParameterCheck.room(for: unit.settings))
        } catch {
            throw Wire.BadParameter(parameter: error.parameter, message: error.message, remedy: error.remedy).failure
        }

        let script: CheckedScript
        do {
            script = try host.checkScript(unit.settings, identity: identity)
        } catch {
            throw Wire.ScriptRefused(path: error.subject, message: error.message, remedy: error.remedy).failure
        }
        resolutions.found(script, of: unit.name)

        return FireRequest(
            task: unit.name, parameters: parameters, settings: host.settled(unit.settings), identity: identity,
            rights: rights, script: script)
    }

    /// What follows on other runs: fired by the supervisor, without parameters.
    public func request(toFire task: String) throws(TriggerRefusal) -> FireRequest {
        let itself = PeerCredentials(pid: processID, uid: onlyUser ?? 0, gid: 0, groups: [])
        do { return try fireRequest(.init(task: task), itself) } catch {
            throw TriggerRefusal(message: error.parameters.objectValue?["message"]?.stringValue ?? error.name)
        }
    }

    /// The unit of this task and as whom it runs, if this caller may fire it now.
    func fireableTask(
        _ name: String, _ caller: PeerCredentials
    ) throws(VarlinkFailure) -> (TaskUnit, RunIdentity, RunRights) {
        let unit = try usableTask(name, caller)
        let resolution: Resolutions.Resolution
        do throws(HostRefusal) {
            resolution = try resolutions.of(unit.name, unit.settings) { () throws(HostRefusal) in
                if let refusal = access.unknownName(in: unit.settings) { throw refusal }
                let identity = try host.identity(for: unit.settings)
                let rights = access.rights(unit.settings, identity: identity, firedBy: caller.uid)
                return .init(identity: identity, users: rights.users, groups: rights.groups)
            }
        } catch {
            throw Wire.BadUnit(
                task: name, message: "\(error.subject) \(error.message)", remedy: error.remedy, problems: []
            ).failure
        }
        let rights = RunRights(firedBy: caller.uid, users: resolution.users, groups: resolution.groups)
        guard access.mayFire(caller, rights) else {
            throw access.denied(caller, "fire", task: name).failure
        }
        return (unit, resolution.identity, rights)
    }

    /// The unit of this task, if it can be fired.
    func usableTask(_ name: String, _ caller: PeerCredentials) throws(VarlinkFailure) -> TaskUnit {
        func bad(_ message: String, _ remedy: String, _ problems: [Wire.Problem] = []) -> VarlinkFailure {
            Wire.BadUnit(task: name, message: message, remedy: remedy, problems: problems).failure
        }
        switch catalog.current.task(named: name) {
        case .found(let unit):
            return unit
        case .notFound(let near):
            throw Wire.NoSuchTask(
                task: name, message: "there is no task \(name)",
                remedy: near.isEmpty
                    ? "faf tasks lists what there is; a new unit file is read by faf reload"
                    : "did you mean \(near.joined(separator: ", "))? A new unit file is read by faf reload"
            ).failure
        case .masked:
            throw bad(
                "the unit of \(name) is masked (empty, or a link to /dev/null)", "remove the mask, then faf reload")
        case .bad(let diagnostics):
            let problems = problems(diagnostics, for: caller, mayFire: false)
            let first = problems.first { $0.severity == Diagnostic.Severity.error.rawValue }
            let place = first.map { problem in
                "\(problem.path):\(problem.line):\(problem.column): "
                    + (problem.key.isEmpty ? "" : "\(problem.key): ") + problem.message
            }
            throw bad(
                "the unit of \(name) cannot be used: \(place ?? "it has errors")",
                "mend the unit (faf verify shows every problem), then faf reload", problems)
        case .template:
            throw bad("\(name) is a template, which cannot be fired itself", "fire an instance: \(name)INSTANCE")
        case .badName(let error):
            throw Wire.NoSuchTask(
                task: name, message: "this is no name of a task: \(error.message)", remedy: error.remedy
            ).failure
        }
    }
}
