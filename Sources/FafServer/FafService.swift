import FafAPI
import LinuxSystem
public import Supervisor
import TaskModel
public import Varlink
public import VarlinkServer

/// `io.faf.Supervisor` as the daemon serves it. Each method is in a file of its own; each has its own check of the
/// caller's rights.
public final class FafService: VarlinkService {
    public let interface: InterfaceDescription
    let supervisor: Supervisor
    let catalog: CatalogBox
    let host: any Host
    let access: Access
    let resolutions: Resolutions
    let version: String
    let processID: Int32
    let onlyUser: UInt32?

    /// - Parameter onlyUser: in user mode the uid that is served; `nil` serves everybody.
    public init(
        supervisor: Supervisor, catalog: CatalogBox, host: any Host, version: String, processID: Int32,
        onlyUser: UInt32?
    ) throws {
        interface = try InterfaceDescription(parsing: Wire.description)
        self.supervisor = supervisor
        self.catalog = catalog
        self.host = host
        self.version = version
        self.processID = processID
        self.onlyUser = onlyUser
        access = Access(host: host, onlyUser: onlyUser)
        resolutions = Resolutions(host: host)
    }

    public func isBrief(_ method: String) -> Bool { method == Wire.Fire.name }

    public func call(
        _ method: String, parameters: JSONObject, caller: Caller, reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        let peer = caller.credentials
        if let onlyUser, peer.uid != onlyUser, peer.uid != 0 {
            throw access.denied(peer, "use", task: "").failure
        }
        let json = JSON.object(parameters)
        // Soon after a start with thousands of runs; these do without.
        if ![Wire.Fire.name, Wire.GetInfo.name, Wire.ListTasks.name, Wire.GetTask.name, Wire.Reload.name]
            .contains(method)
        {
            do { try await supervisor.rowsAreRead() } catch { throw error.failure }
        }
        switch method {
        case Wire.Fire.name: try await answer(reply, fire(try read(json), peer))
        case Wire.Kill.name: try await answer(reply, kill(try read(json), peer))
        case Wire.Freeze.name: try await answer(reply, freeze(try read(json), peer))
        case Wire.Thaw.name: try await answer(reply, thaw(try read(json), peer))
        case Wire.Retry.name: try await answer(reply, retry(try read(json), peer))
        case Wire.Cancel.name: try await answer(reply, cancel(try read(json), peer))
        case Wire.GetRun.name: try await answer(reply, getRun(try read(json), peer))
        case Wire.ListRuns.name: try await listRuns(try read(json), peer, reply)
        case Wire.ListTasks.name: try await answer(reply, listTasks(peer))
        case Wire.GetTask.name: try await answer(reply, getTask(try read(json), peer))
        case Wire.Wait.name: try await wait(try read(json), peer, reply)
        case Wire.Watch.name: try await watch(try read(json), peer, reply)
        case Wire.ReadLog.name: try await readLog(try read(json), peer, reply)
        case Wire.Reload.name: try await answer(reply, reload(peer))
        case Wire.GetInfo.name: try await answer(reply, getInfo(peer))
        default: throw .methodNotFound(method)
        }
    }

    private func read<Request: WireObject>(_ json: JSON) throws(VarlinkFailure) -> Request {
        do { return try Request(json: json) } catch { throw .invalidParameter(error.field) }
    }

    private func answer(_ reply: ReplyWriter, _ object: some WireObject) async throws(VarlinkFailure) {
        try await reply.send(object.json, continues: false)
    }

    // MARK: What several methods need

    /// The run, if the caller may see it.
    func visibleRun(
        _ number: Int64, _ caller: PeerCredentials, to verb: String
    ) async throws(VarlinkFailure) -> Run {
        guard let run = try await run(number) else {
            throw Wire.NoSuchRun(
                run: number, message: "there is no run \(number)", remedy: "faf list --all shows all runs"
            ).failure
        }
        guard access.maySee(caller, run) else { throw access.denied(caller, verb, run: run).failure }
        return run
    }

    /// Whoever calls: rights are still to be checked.
    func run(_ number: Int64) async throws(VarlinkFailure) -> Run? {
        do { return try await supervisor.run(RunID(rawValue: number)) } catch { throw error.failure }
    }
}
