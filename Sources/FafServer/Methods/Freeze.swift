import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    func freeze(
        _ request: Wire.Freeze.Request, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> Wire.Freeze.Reply {
        Wire.Freeze.Reply(run: try await setFrozen(true, request.run, caller))
    }

    func thaw(
        _ request: Wire.Thaw.Request, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> Wire.Thaw.Reply {
        Wire.Thaw.Reply(run: try await setFrozen(false, request.run, caller))
    }

    private func setFrozen(
        _ wanted: Bool, _ number: Int64, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> Wire.Run {
        let verb = wanted ? "freeze" : "thaw"
        let run = try await visibleRun(number, caller, to: verb)
        if run.state == .queued {
            throw Wire.WrongState.waits(number, "nothing of it runs").failure
        }
        let outcome = run.state.isFinal ? .isOver : await supervisor.setFrozen(wanted, run.id, by: caller.uid)
        switch outcome {
        case .done:
            return try await visibleRun(number, caller, to: verb).wire
        case .isOver:
            throw Wire.NotActive(
                run: number, message: "run \(number) is over already", remedy: "faf show \(number) tells how it ended"
            ).failure
        case .isStopping:
            throw Wire.NotActive(
                run: number, message: "run \(number) is stopping, and what is to end is not frozen",
                remedy: "faf show \(number) tells why it is stopped"
            ).failure
        case .isLaunching:
            throw Wire.Unavailable(message: "run \(number) is still being launched", remedy: "try again").failure
        case .hasNoCgroup:
            throw Wire.Unavailable(
                message: "run \(number) has no cgroup, and nothing else can be frozen",
                remedy: "faf kill -s STOP --whom=main \(number) stops its main process, -s CONT lets it go on"
            ).failure
        case .isLate:
            throw Wire.Unavailable(
                message: "run \(number) was asked to \(verb) and has not done so within 5 s: a process of it sleeps in "
                    + "the kernel, or its shim is of an older version",
                remedy: "faf show \(number) tells when it has"
            ).failure
        }
    }
}
