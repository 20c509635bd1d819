import FafServer
import Journal
import LinuxSystem
import TaskHost
import TaskModel

/// The machine as the server sees it.
struct LinuxHost: Host {
    let configuration: DaemonConfiguration
    let cgroupRoot: @Sendable () -> String?

    func identity(for settings: TaskSettings) throws(HostRefusal) -> RunIdentity {
        do {
            return configuration.isUserMode
                ? try HostAccounts.ownIdentity(for: settings, home: configuration.environment["HOME"])
                : try HostAccounts.identity(for: settings)
        } catch {
            throw HostRefusal(subject: error.setting, message: error.message, remedy: error.remedy)
        }
    }

    /// Where the C library looks first, if nsswitch.conf(5) says nothing else, and that itself.
    func accountsMark() -> [FileMark] {
        ["/etc/passwd", "/etc/group", "/etc/nsswitch.conf"].compactMap { path in
            (try? FileStatus.of(path: path)).flatMap { $0 }.map {
                FileMark(device: $0.device, inode: $0.inode, size: $0.size, modified: $0.modified)
            }
        }
    }

    func isLocal(_ script: CheckedScript) -> Bool { FileStatus.isOnLocalFileSystem(script.realPath) }

    func userID(_ text: String) -> UInt32? { HostAccounts.userID(text) }

    func groupID(_ text: String) -> UInt32? { HostAccounts.groupID(text) }

    func checkScript(_ settings: TaskSettings, identity: RunIdentity) throws(HostRefusal) -> CheckedScript {
        do { return try HostScript.check(settings, identity: identity) } catch {
            throw HostRefusal(subject: error.path, message: error.message, remedy: error.remedy)
        }
    }

    func settled(_ settings: TaskSettings) -> TaskSettings {
        var settled = settings
        if settings.standardOutput == nil, hasJournal { settled.standardOutput = .journal }
        return settled
    }

    /// A user's own supervisor may not be able to read the user's entries: they are in the system's journal unless it is
    /// persistent.
    private var hasJournal: Bool {
        guard !configuration.isUserMode, JournalReader.isAvailable else { return false }
        return (try? FileStatus.of(path: configuration.directories.journalStream))??.kind == .socket
    }

    func journal(from start: OutputStart) throws(HostRefusal) -> any OutputReader {
        guard JournalReader.isAvailable else {
            throw HostRefusal(
                subject: "the journal", message: "it cannot be read without libsystemd",
                remedy: "install libsystemd0, or look with journalctl")
        }
        do throws(SystemError) {
            return JournalOutput(
                reader: try JournalReader(
                    cgroups: journalCgroups(), shimUID: OwnProcess.uid, from: start,
                    sync: configuration.directories.journal + "/io.systemd.journal"))
        } catch {
            throw JournalOutput.unreadable(error)
        }
    }

    /// As journald sees the attempts' cgroups: from the root of the hierarchy on.
    private func journalCgroups() -> String? {
        guard let root = cgroupRoot(), let mount = try? CgroupMount.find(), root.hasPrefix(mount.point + "/") else {
            return nil
        }
        return (mount.root == "/" ? "" : mount.root) + root.dropFirst(mount.point.utf8.count) + "/t/"
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

    func missingProtections() -> [MissingProtection] {
        MissingProtections.list(configuration: configuration, cgroupRoot: cgroupRoot())
    }

    var unitDirectories: [String] { configuration.directories.units }

    var tasksCgroup: String? { cgroupRoot() }
}

/// The journal as `FafServer` reads output.
private struct JournalOutput: OutputReader {
    let reader: JournalReader

    func next(_ mood: OutputMood, of selection: OutputSelection) async throws(HostRefusal) -> OutputPart {
        let order: JournalReader.Order =
            switch mood {
            case .now: .read
            case .waiting: .wait
            case .last: .sync
            case .rest: .rest
            }
        do { return try await reader.next(order, of: selection) } catch { throw Self.unreadable(error) }
    }

    static func unreadable(_ error: SystemError) -> HostRefusal {
        HostRefusal(
            subject: "the journal", message: "it cannot be read: \(error)",
            remedy: "look at journalctl, and at systemctl status systemd-journald")
    }
}
