internal import LinuxSystem
internal import Logging
internal import ShimProtocol
public import TaskModel

extension Launcher {
    /// How long `empty` waits for killed processes to go: one in an uninterruptible wait may take its time.
    static let emptyTimeout: Int64 = 10_000_000

    /// Kills all that is left of an attempt and waits until nothing is. Only for attempts whose shim is dead or did not
    /// kill in time: between go and `started` a cgroup.kill could miss the script's process (threat-model E3).
    ///
    /// - Parameter cgroup: as the record has it; `nil`: where this launcher would have put it.
    /// - Returns: whether nothing is left; true where there are no cgroups and nothing can be looked for.
    @concurrent
    public func empty(_ run: RunID, attempt: Int, cgroup: String?) async -> Bool {
        guard let cgroup = subtree.cgroup(run: run, attempt: attempt, recorded: cgroup) else { return true }
        let deadline = Clocks.boottime + Launcher.emptyTimeout
        var pause = 1
        do {
            while true {
                if try cgroup.isPopulated() != true { return true }
                try cgroup.kill()
                if try cgroup.isPopulated() != true { return true }
                if Clocks.boottime > deadline || Task.isCancelled { break }
                try? await Task.sleep(for: .milliseconds(pause))
                pause = min(pause * 2, 50)
            }
            logger.error("processes stay after SIGKILL", metadata: ["cgroup": "\(cgroup.path)"])
        } catch {
            logger.error("a cgroup cannot be emptied", metadata: ["cgroup": "\(cgroup.path)", "error": "\(error)"])
        }
        return false
    }

    /// Deletes record, end, notify socket, cgroup and private temporary files of an attempt whose end is in the store, or that never ran. What is
    /// not there is fine. Record and socket are gone when this returns; the others, which may take their time, go
    /// right after.
    public func clean(_ id: InvocationID, run: RunID, attempt: Int, cgroup: String?) {
        // Neither need its record be read for what this launcher has put there, nor be looked for what it has not made.
        let own = launched.remove("\(run).\(attempt)", id)
        let recorded = cgroup ?? (own.map(\.cgroup) ?? self.cgroup(of: id))
        let hasTemporaries = changesUser && own?.hasTemporaries != false
        // First: it may find its time over without the word, and write the end now. That is removed once it has gone.
        let shim = tellStored(id)
        for path in [files.notifySocket(id), files.record(id)] {
            do { try Files.remove(path) } catch {
                logger.error("a file of a finished attempt stays", metadata: ["error": "\(error)"])
            }
        }
        cleaner.remove(
            Cleaner.Remains(
                end: files.end(id), shim: shim,
                cgroup: subtree.cgroup(run: run, attempt: attempt, recorded: recorded),
                trees: hasTemporaries ? temporaries.trees(of: id) : []))
    }

    /// Ends the watch, and lets a shim that waits for it go without an end on disk. `nil`: there is none any more.
    private func tellStored(_ id: InvocationID) -> Watches.Shim? {
        var shim = watches.remove(id)
        do {
            if shim == nil, let handle = try files.openShim(id) { shim = Watches.Shim(handle) }
            // One that does not hear it writes its end.
            try shim?.handle.queue(realTimeSignal: StopRequest.signalOffset, value: StopRequest.stored(id))
        } catch {
            logger.debug("a shim was not told that its end is stored", metadata: ["error": "\(error)"])
        }
        return shim
    }

    /// Moves a damaged record, and a damaged end, out of the way; the new path. `nil`: there was nothing, or it stays.
    public func setAside(_ id: InvocationID) -> String? {
        var moved: String?
        for (path, isDamaged, suffix) in [
            (files.record(id), isDamaged(files.readRecord(id)), ""),
            (files.end(id), isDamaged(files.readEnd(id)), ".end"),
        ] where isDamaged {
            let target = "\(directories.damaged)/\(id)\(suffix)"
            do {
                try move(path, to: target)
                moved = moved ?? target
            } catch {
                logger.error("a damaged record stays where it is", metadata: ["error": "\(error)"])
            }
        }
        return moved
    }

    /// Removes empty cgroups `t/RUN.ATTEMPT` that belong neither to `keeping` (names or whole paths), nor to a live
    /// record, nor to an attempt that this launcher made. Populated ones stay, and are named in the log.
    public func cleanStrayCgroups(keeping: Set<String>) {
        guard let root = subtree.root else { return }
        let tasks = Cgroup(path: root).child("t")
        do {
            // Listed before the records: a shim makes its record first.
            let names = try tasks.children()
            let recorded = try recordedCgroups()
            for name in names {
                let cgroup = tasks.child(name)
                if recorded.contains(name) || keeping.contains(name) || keeping.contains(cgroup.path) { continue }
                try launched.unlessUsed(name) { () throws(SystemError) in
                    if try cgroup.isPopulated() == true {
                        logger.warning(
                            "a cgroup without a record has processes", metadata: ["cgroup": "\(cgroup.path)"])
                    } else {
                        try? cgroup.remove()
                    }
                }
            }
        } catch  where error.errno == ErrorNumber.notFound {
        } catch {
            logger.error("stray cgroups cannot be looked for", metadata: ["error": "\(error)"])
        }
    }

    /// The names that the attempts with a live record have. One at its gate, or just past it, is empty and needed.
    private func recordedCgroups() throws(SystemError) -> Set<String> {
        var names: Set<String> = []
        for name in try Files.list(directories.records) {
            guard let id = RecordName.exact(name) else { continue }
            switch files.readRecord(id) {
            case .record(let record, _): names.insert("\(record.observation.run).\(record.observation.number)")
            case .unreadable(let error): throw error  // its cgroup may be one that is needed
            case .nothing, .damaged, .newer: break
            }
        }
        return names
    }

    private func isDamaged(_ reading: RecordFiles.Reading) -> Bool {
        if case .damaged = reading { true } else { false }
    }

    /// Records are on another file system than the state directory.
    private func move(_ path: String, to target: String) throws(SystemError) {
        do {
            try Files.rename(path, to: target)
        } catch  where error.errno == ErrorNumber.otherFileSystem {
            let file = try Files.open(path, [.noFollow, .nonblocking])
            try Files.replaceDurably(target, with: try file.readAll(limit: 64 << 20, path: path))
            try Files.remove(path)
        }
    }
}
