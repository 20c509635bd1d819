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

    func journal(of run: Run, last: Int64?) throws(HostRefusal) -> (any OutputReader)? {
        let outputs = [run.settings.standardOutput, run.settings.standardError]
        guard outputs.contains(.journal), run.settings.standardOutput != nil else { return nil }
        guard JournalReader.isAvailable else {
            throw HostRefusal(
                subject: "run \(run.id)",
                message: "its output is in the journal, which cannot be read without libsystemd",
                remedy: "install libsystemd0, or look with journalctl")
        }
        guard let attempt = run.attempts.last else { return nil }
        let query = JournalQuery(
            cgroup: journalCgroup(run.id, attempt.number),
            unit: configuration.isUserMode ? nil : Directories.journalUnit(of: run.id, attempt: attempt.number),
            boot: attempt.boot.description, uid: run.identity.uid,
            mainPID: attempt.mainPID, identifier: run.settings.syslogIdentifier ?? run.task,
            from: UInt64(clamping: (attempt.startedAt ?? run.queuedAt).microseconds),
            until: attempt.endedAt.map { UInt64(clamping: $0.microseconds) })
        do {
            return JournalOutput(
                run: run.id,
                isSettled: attempt.endedAt.map { Clocks.realtime - $0.microseconds > Self.settling } ?? false,
                reader: try JournalReader(
                    query, last: last, sync: configuration.directories.journal + "/io.systemd.journal"))
        } catch {
            throw unreadable(run.id, error)
        }
    }

    /// µs after the end of a run in which journald may still have something of it to store.
    private static let settling: Int64 = 60_000_000

    /// As journald sees the attempt's cgroup: from the root of the hierarchy on.
    private func journalCgroup(_ run: RunID, _ attempt: Int) -> String? {
        guard let root = cgroupRoot(), let mount = try? CgroupMount.find(), root.hasPrefix(mount.point + "/") else {
            return nil
        }
        return (mount.root == "/" ? "" : mount.root) + root.dropFirst(mount.point.utf8.count) + "/t/\(run).\(attempt)"
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
        MissingProtections.list(configuration: configuration, cgroupRoot: cgroupRoot())
    }
}

/// The journal as `FafServer` reads output.
private struct JournalOutput: OutputReader {
    let run: RunID
    /// All of it has been stored for long.
    let isSettled: Bool
    let reader: JournalReader

    func next(_ mood: OutputMood) async throws(HostRefusal) -> [UInt8] {
        let order: JournalReader.Order =
            switch mood {
            case .now: .read
            case .waiting: .wait
            case .last: isSettled ? .read : .sync
            }
        do { return try await reader.next(order) } catch {
            throw HostRefusal(
                subject: "run \(run)", message: "its output cannot be read from the journal: \(error)",
                remedy: "look at journalctl, and at systemctl status systemd-journald")
        }
    }
}
