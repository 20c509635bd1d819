import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import TaskUnits
import VarlinkServer

extension FafService {
    func retry(
        _ request: Wire.Retry.Request, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> Wire.Retry.Reply {
        let run = try await visibleRun(request.run, caller, to: "retry")
        let script = run.state.isFinal ? try scriptForRetry(of: run, caller) : nil
        do throws(RetryRefusal) {
            if let script {
                try await supervisor.reopen(run.id, script: script)
            } else {
                try await supervisor.retry(run.id)
            }
        } catch {
            throw error.failure(
                run.id, to: "retry",
                remedy: "faf kill --wait \(run.id) ends it, faf retry \(run.id) then tries it again")
        }
        return Wire.Retry.Reply(run: try await visibleRun(request.run, caller, to: "retry").wire)
    }

    /// What is over has left its unit's hands: it runs again only for root, or for whom the unit lets fire the very same
    /// now. Otherwise an old run would be a way around what has been forbidden since. Its script is found as at a fire, so
    /// a release that was deployed since is used.
    private func scriptForRetry(of run: Run, _ caller: PeerCredentials) throws(VarlinkFailure) -> CheckedScript {
        if caller.uid != 0, caller.uid != onlyUser {
            let (unit, identity, _) = try fireableTask(run.task, caller)
            guard identity == run.identity, host.settled(unit.settings).does(run.settings) else {
                throw Wire.WrongState(
                    run: run.id.rawValue, state: run.state.rawValue,
                    message: "the unit of \(run.task) has changed since run \(run.id) was fired",
                    remedy: "fire it anew (faf fire \(run.task)); root may try it again as it was"
                ).failure
            }
        }
        do { return try host.checkScript(run.settings, identity: run.identity) } catch {
            throw Wire.ScriptRefused(path: error.subject, message: error.message, remedy: error.remedy).failure
        }
    }
}

extension RetryRefusal {
    func failure(_ id: RunID, to verb: String, remedy: String) -> VarlinkFailure {
        switch self {
        case .noRun, .wrongState(.succeeded), .wrongState(.failed), .wrongState(.killed), .wrongState(.timedOut),
            .wrongState(.cancelled), .wrongState(.lost):
            Wire.NotActive(
                run: id.rawValue, message: "run \(id) is over already", remedy: "faf show \(id) tells how it ended"
            ).failure
        case .wrongState(let state):
            Wire.WrongState(
                run: id.rawValue, state: state.rawValue,
                message: "run \(id) is \(state.rawValue): there is nothing to \(verb)", remedy: remedy
            ).failure
        case .refused(let refusal): refusal.failure
        }
    }
}

extension TaskSettings {
    /// The same, but for what is said of it and who may fire it.
    fileprivate func does(_ other: TaskSettings) -> Bool {
        var own = self
        (own.description, own.documentation) = (other.description, other.documentation)
        (own.allowUsers, own.allowGroups) = (other.allowUsers, other.allowGroups)
        return own == other
    }
}
