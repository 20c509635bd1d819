internal import LinuxSystem
internal import Logging
internal import ShimProtocol
public import TaskModel

extension Launcher {
    /// Every attempt that there is a record or an end of. What was left of records that were never finished goes.
    public func found() throws(LauncherError) -> [InvocationID] {
        var ids: Set<InvocationID> = []
        do {
            for name in try Files.list(directories.records) {
                if let id = RecordName.exact(name) {
                    ids.insert(id)
                } else {
                    removeUnfinished(directories.records, name)
                }
            }
            for name in try Files.list(directories.ends) {
                if let id = RecordName.exact(name) { ids.insert(id) } else { removeUnfinished(directories.ends, name) }
            }
        } catch {
            throw .system(error)
        }
        return Array(ids)
    }

    /// What is on disk of this attempt: its live record, or else its durable end.
    ///
    /// A live record without a holder that has no end in it gives way to a durable end: the shim may have died between
    /// the two.
    ///
    /// - Parameter withOrigin: without it, `origin` may be empty and costs nothing.
    public func observe(_ id: InvocationID, withOrigin: Bool = true) -> Found {
        switch files.readRecord(id, withOrigin: withOrigin) {
        case .nothing: return end(id) ?? .nothing
        case .record(let record, let holder):
            if holder == .nobody, record.observation.phase != .emptied, let end = end(id), end.decides { return end }
            return found(record, holder, isEnd: false)
        case .damaged(let why, _):
            if let end = end(id), end.decides { return end }
            return .damaged(why)
        case .newer(let why, _): return .newer(why)
        case .unreadable(let error): return .unreadable("\(error)")
        }
    }

    /// The cgroup that the attempt's record or end names; `nil`: none, or it cannot be read.
    public func cgroup(of id: InvocationID) -> String? {
        if case .record(let record, _) = files.readRecord(id) { return record.cgroup }
        if case .record(let record, _) = files.readEnd(id) { return record.cgroup }
        return nil
    }

    private func end(_ id: InvocationID) -> Found? {
        switch files.readEnd(id) {
        case .nothing: nil
        case .record(let record, let holder): found(record, holder, isEnd: true)
        case .damaged(let why, _): .damaged(why)
        case .newer(let why, _): .newer(why)
        case .unreadable(let error): .unreadable("\(error)")
        }
    }

    private func found(_ record: AttemptRecord, _ holder: FileLock.Holder, isEnd: Bool) -> Found {
        var observation = record.observation
        if case .process(let pid) = holder { observation.shimPID = pid }
        return .observation(observation, origin: record.origin, isEnd: isEnd)
    }

    /// A name that no reader looks for: of a maker that died before the rename, unless somebody still holds it or it is
    /// so young that its maker may just be about to lock it.
    private func removeUnfinished(_ directory: String, _ name: String) {
        let path = directory + "/" + name
        do {
            let file = try Files.open(path, [.noFollow, .nonblocking])
            let status = try file.status()
            guard status.kind == .regular, try file.lockHolder() == .nobody,
                abs(Clocks.realtime - status.modified) > 60_000_000
            else { return }
            if let id = RecordName.invocation(in: name), case .record(_, .process) = files.readRecord(id) { return }
            try Files.remove(path)
        } catch {
            logger.debug("an unfinished record stays", metadata: ["path": "\(path)", "error": "\(error)"])
        }
    }
}

extension Found {
    /// As an end, it stands before what a record without a holder says. One that cannot be looked at now may be there.
    fileprivate var decides: Bool {
        switch self {
        case .observation, .unreadable: true
        case .nothing, .damaged, .newer: false
        }
    }
}
