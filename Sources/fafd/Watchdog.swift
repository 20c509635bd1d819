import LinuxSystem
import NIOCore
import Supervisor

/// Tells the service manager that all is well, as long as the event loop and the table of runs answer. If either hangs
/// it is silent, and WatchdogSec= of fafd.service has the process killed and started anew; no task notices.
struct Watchdog {
    let interval: Duration
    let group: any EventLoopGroup
    let supervisor: Supervisor

    /// Until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                try await group.next().submit {}.get()
                await supervisor.answers()
                ServiceManager.notify("WATCHDOG=1")
                // Three chances: one that comes late on a busy machine is no reason to be killed.
                try await Task.sleep(for: interval / 3)
            } catch {
                return
            }
        }
    }
}
