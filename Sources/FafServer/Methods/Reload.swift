import FafAPI
import LinuxSystem
import TaskUnits
import VarlinkServer

extension FafService {
    func reload(_ caller: PeerCredentials) throws(VarlinkFailure) -> Wire.Reload.Reply {
        guard caller.uid == 0 || caller.uid == onlyUser else {
            throw Wire.PermissionDenied(
                message: "uid \(caller.uid) may not reload the units: only root may",
                remedy: "sudo faf reload", setting: ""
            ).failure
        }
        let catalog = catalog.reload()
        return Wire.Reload.Reply(
            tasks: Int64(catalog.tasks.count), problems: catalog.diagnostics.map(\.wire))
    }
}
