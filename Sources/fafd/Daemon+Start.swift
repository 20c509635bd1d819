import Lifecycle
import LinuxSystem
import Logging
import SQLiteStore
import Store
import Supervisor
import TaskModel

/// What has to be there before the parts are built. Each step says what is wrong and what to do.
extension Daemon {
    /// Makes the directories and names them by their real paths: shims follow no links to them.
    static func makeDirectories(_ given: DaemonConfiguration) throws(StartRefusal) -> DaemonConfiguration {
        var configuration = given
        let isPrivate = given.isUserMode
        let directories = given.directories
        do {
            // /run/faf and /var/lib/faf are entered by callers and by tasks, but only fafd writes and lists them.
            try Files.makeDirectories(directories.runtime, mode: isPrivate ? 0o700 : 0o755)
            try Files.makeDirectories(directories.state, mode: isPrivate ? 0o700 : 0o711)
            try Files.makeDirectories(directories.logs, mode: 0o700)
            configuration.directories.runtime = try Files.realPath(ofDirectory: directories.runtime)
            configuration.directories.state = try Files.realPath(ofDirectory: directories.state)
            configuration.directories.logs = try Files.realPath(ofDirectory: directories.logs)
        } catch {
            throw StartRefusal("\(error)", remedy: "make the directory, or look at its parents' permissions")
        }
        for directory in [directories.runtime, directories.state, directories.logs] {
            guard let status = try? FileStatus.of(path: directory), status.kind == .directory,
                status.uid == OwnProcess.uid, !status.isWritableByOthers
            else {
                throw StartRefusal(
                    "\(directory) must be a directory that only uid \(OwnProcess.uid) may write",
                    remedy: "chown it and chmod go-w it")
            }
        }
        return configuration
    }

    static func takeLock(_ path: String, of directory: String) throws(StartRefusal) -> FileLock {
        do {
            if let lock = try FileLock.take(path) { return lock }
        } catch {
            throw StartRefusal("\(error)", remedy: "look at \(directory)")
        }
        throw StartRefusal(
            "another fafd is already running on \(directory)",
            remedy: "stop it first, or give this one its own --state-directory and --runtime-directory")
    }

    static func boot() throws(StartRefusal) -> BootID {
        do {
            if let id = BootID(try Machine.bootID()) { return id }
        } catch {
            throw StartRefusal("\(error)", remedy: "mount /proc")
        }
        throw StartRefusal("/proc/sys/kernel/random/boot_id holds no boot id", remedy: "mount /proc")
    }

    /// Where no systemd reaps, shims whose mother has gone would stay as zombies.
    static func reapOrphans(_ log: Logger) {
        guard (try? FileStatus.of(path: "/run/systemd/system")) == nil else { return }
        do { try OwnProcess.reapOrphans() } catch { log.warning("orphans are not reaped: \(error)") }
    }

    /// A connection and a live shim cost a descriptor each; scripts get the default limit from their shim.
    static func raiseDescriptorLimit(_ log: Logger) {
        do {
            let limit = try OwnProcess.openFilesLimit()
            if limit.soft < limit.hard { try OwnProcess.setOpenFilesLimit(limit.hard) }
        } catch { log.warning("the limit of open files stays as it is: \(error)") }
    }

    /// A damaged database is set aside and named; runs that go on come back from their records.
    static func openStore(_ directories: Directories, _ log: Logger) throws(StartRefusal) -> SQLiteStore {
        do throws(StoreError) { return try SQLiteStore(path: directories.database) } catch .damaged(let text) {
            let place = try setAside(directories)
            log.critical(
                "the database is damaged and set aside; its runs are not listed any more: \(text)",
                metadata: ["path": "\(place)"])
        } catch {
            throw StartRefusal(error.refusal.message, remedy: error.refusal.remedy)
        }
        do { return try SQLiteStore(path: directories.database) } catch {
            throw StartRefusal(error.refusal.message, remedy: error.refusal.remedy)
        }
    }

    /// Moves the database with its -wal and -shm, which belong to it.
    static func setAside(_ directories: Directories) throws(StartRefusal) -> String {
        let place = "\(directories.damaged)/faf.db.\(Clocks.realtime)"
        do {
            try Files.makeDirectories(directories.damaged, mode: 0o700)
            for suffix in ["-wal", "-shm", ""] where try FileStatus.of(path: directories.database + suffix) != nil {
                try Files.rename(directories.database + suffix, to: place + suffix)
            }
            try Files.syncDirectory(directories.state)
        } catch {
            throw StartRefusal("the damaged database cannot be set aside: \(error)", remedy: "move it away yourself")
        }
        return place
    }

    /// The service manager's socket, if it started this process; else one of its own. A socket that answers belongs to
    /// somebody; one that does not is left over (threat-model.md A3).
    func listen() throws(StartRefusal) -> OwnedDescriptor {
        let path = configuration.directories.socket
        if let socket = try activatedSocket() { return socket }
        if (try? UnixSocket.connect(path: path)) != nil {
            throw StartRefusal("somebody already answers on \(path)", remedy: "stop it, or give --runtime-directory")
        }
        do {
            if let found = try FileStatus.of(path: path, followingLinks: false), found.kind != .socket {
                throw StartRefusal(
                    "\(path) is no socket, so it is not ours to remove",
                    remedy: "move it away, or give --runtime-directory")
            }
            try Files.remove(path)
            return try UnixSocket.listen(path: path, mode: configuration.isUserMode ? 0o600 : 0o666)
        } catch let refusal as StartRefusal {
            throw refusal
        } catch {
            throw StartRefusal("\(error)", remedy: "look at \(configuration.directories.runtime)")
        }
    }

    /// Callers look for the socket at one place, and tasks are told of it, so it has to be that place.
    private func activatedSocket() throws(StartRefusal) -> OwnedDescriptor? {
        let path = configuration.directories.socket
        do {
            guard let listener = try SocketActivation.take(environment: configuration.environment) else { return nil }
            guard Self.isSame(listener.path, path) else {
                throw StartRefusal(
                    "the service manager listens on \(listener.path), not on \(path)",
                    remedy: "set ListenStream=\(path) in fafd.socket, or give --runtime-directory")
            }
            return listener.descriptor()
        } catch let refusal as SocketActivation.Refusal {
            throw StartRefusal("\(refusal)", remedy: "let fafd.socket have one ListenStream=\(path)")
        } catch let refusal as StartRefusal {
            throw refusal
        } catch {
            throw StartRefusal("\(error)", remedy: "look at fafd.socket")
        }
    }

    /// By the file, since either may be named through a link (/var/run).
    private static func isSame(_ one: String, _ other: String) -> Bool {
        guard let first = try? FileStatus.of(path: one), let second = try? FileStatus.of(path: other) else {
            return one == other
        }
        return first.device == second.device && first.inode == second.inode
    }
}
