import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import TaskUnits
import VarlinkServer

extension FafService {
    func kill(_ request: Wire.Kill.Request, _ caller: PeerCredentials) async throws(VarlinkFailure) -> Wire.Kill.Reply {
        let stop = try stopRequest(request, caller)
        switch (request.run, request.task) {
        case (let number?, nil):
            let run = try await visibleRun(number, caller, to: "kill")
            guard !run.state.isFinal, try await end(run.id, stop) else {
                throw Wire.NotActive(
                    run: number, message: "run \(number) is over already (\(run.state.rawValue))",
                    remedy: "nothing is left to do; faf show \(number) tells how it ended"
                ).failure
            }
            if stop.cause == .kill { await supervisor.stopsHaveBegun([run.id]) }
            return Wire.Kill.Reply(runs: [number])
        case (nil, let task?):
            let reached = try await kill(allOf: task, stop, caller)
            if stop.cause == .kill { await supervisor.stopsHaveBegun(reached.map { RunID(rawValue: $0) }) }
            return Wire.Kill.Reply(runs: reached)
        case (nil, nil), (.some, .some):
            throw .invalidParameter(request.run == nil ? "run" : "task")
        }
    }

    private func kill(
        allOf task: String, _ stop: StopRequest, _ caller: PeerCredentials
    ) async throws(VarlinkFailure) -> [Int64] {
        let runs = await supervisor.activeRuns(task: task) { access.maySee(caller, $0) }
        if runs.isEmpty {
            if let other = await supervisor.activeNumbers(task: task).first,
                let run = try await run(other.rawValue), !access.maySee(caller, run)
            {
                throw access.denied(caller, "kill", run: run).failure
            }
            // Says "no such task" where that is the reason; a unit that is broken or gone does not protect its runs.
            if case .notFound = catalog.current.task(named: task) { _ = try usableTask(task, caller) }
        }
        var reached: [Int64] = []
        var refusal: VarlinkFailure?
        for run in runs {
            // One that cannot be ended now does not keep the others.
            do { if try await end(run.id, stop) { reached.append(run.id.rawValue) } } catch { refusal = error }
        }
        if reached.isEmpty, let refusal { throw refusal }
        return reached
    }

    /// `false`: it is over, or ending already.
    private func end(_ id: RunID, _ stop: StopRequest) async throws(VarlinkFailure) -> Bool {
        do throws(RetryRefusal) {
            return try await supervisor.end(id, stop)
        } catch .wrongState(.queued) where stop.cause != .kill {
            throw Wire.WrongState.waits(id.rawValue, "there is no process to send a signal to").failure
        } catch {
            throw error.failure(id, to: "kill", remedy: "try again")
        }
    }

    private func stopRequest(
        _ request: Wire.Kill.Request, _ caller: PeerCredentials
    ) throws(VarlinkFailure) -> StopRequest {
        guard let name = request.signal else {
            guard request.whom == nil else { throw .invalidParameter("whom") }
            return StopRequest(cause: .kill, uid: caller.uid)
        }
        let whom: StopRequest.Whom
        switch request.whom {
        case nil, "all": whom = .all
        case "main": whom = .main
        default: throw .invalidParameter("whom")
        }
        do {
            return StopRequest(cause: .signal, signal: try Value.signal(name), whom: whom, uid: caller.uid)
        } catch {
            throw .invalidParameter("signal")
        }
    }
}
