import FafServer
import LinuxSystem
import TaskHost
import TaskModel

/// The machine as the server sees it.
struct LinuxHost: Host {
    let configuration: DaemonConfiguration
    let cgroupRoot: String?

    func identity(for settings: TaskSettings) throws(HostRefusal) -> RunIdentity {
        do {
            return configuration.isUserMode
                ? try HostAccounts.ownIdentity(for: settings, home: configuration.environment["HOME"])
                : try HostAccounts.identity(for: settings)
        } catch {
            throw HostRefusal(subject: error.setting, message: error.message, remedy: error.remedy)
        }
    }

    func userID(_ text: String) -> UInt32? { HostAccounts.userID(text) }

    func groupID(_ text: String) -> UInt32? { HostAccounts.groupID(text) }

    func checkScript(_ settings: TaskSettings, identity: RunIdentity) throws(HostRefusal) -> CheckedScript {
        do { return try HostScript.check(settings, identity: identity) } catch {
            throw HostRefusal(subject: error.path, message: error.message, remedy: error.remedy)
        }
    }

    func output(of run: RunID, from offset: UInt64, limit: Int) throws(HostRefusal) -> [UInt8] {
        do {
            return try Files.read(configuration.directories.log(of: run), from: offset, limit: limit) ?? []
        } catch {
            throw unreadable(run, error)
        }
    }

    func outputSize(of run: RunID) throws(HostRefusal) -> UInt64 {
        do { return try FileStatus.of(path: configuration.directories.log(of: run))?.size ?? 0 } catch {
            throw unreadable(run, error)
        }
    }

    private func unreadable(_ run: RunID, _ error: SystemError) -> HostRefusal {
        HostRefusal(
            subject: "run \(run)", message: "its output cannot be read: \(error)",
            remedy: "look at \(configuration.directories.logs)")
    }

    func missingProtections() -> [(kind: String, text: String)] {
        MissingProtections.list(configuration: configuration, cgroupRoot: cgroupRoot)
    }
}
