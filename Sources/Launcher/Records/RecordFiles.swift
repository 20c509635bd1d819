internal import LinuxSystem
internal import ShimProtocol
internal import TaskModel

/// Records and ends on disk, and who holds them.
struct RecordFiles: Sendable {
    let directories: Directories

    /// Far more than a record with the largest specification has.
    private static let sizeLimit = LaunchSpecification.limit + (1 << 20)

    func record(_ id: InvocationID) -> String { "\(directories.records)/\(id)" }
    func end(_ id: InvocationID) -> String { "\(directories.ends)/\(id)" }
    func notifySocket(_ id: InvocationID) -> String { "\(directories.notifySockets)/\(id)" }

    enum Reading {
        case nothing
        case record(AttemptRecord, FileLock.Holder)
        case damaged(String, FileLock.Holder)
        case newer(String, FileLock.Holder)
        /// Says nothing about the attempt.
        case unreadable(SystemError)
    }

    /// Reads the live record. A slot that a living shim is just writing looks damaged for a moment.
    func readRecord(_ id: InvocationID, withOrigin: Bool = false) -> Reading {
        var reading = Reading.nothing
        for turn in 0..<20 {
            reading = readRecordOnce(id, withOrigin)
            guard case .damaged(_, .process) = reading else { return reading }
            SystemThread.sleep(microseconds: turn < 10 ? 50 : 1000)
        }
        return reading
    }

    private func readRecordOnce(_ id: InvocationID, _ withOrigin: Bool) -> Reading {
        func read(_ file: borrowing OwnedDescriptor) throws(SystemError) -> [UInt8] {
            // Records lie on a tmpfs, which gives all that is asked for in one read.
            withOrigin
                ? try file.readAll(limit: RecordFiles.sizeLimit)
                : try file.read(maximum: AttemptRecord.lengthWithoutOrigin)
        }
        do {
            let file = try Files.open(record(id), [.noFollow, .nonblocking])
            let bytes = try read(file)
            let holder = try file.lockHolder()
            let reading = decode(bytes, id, holder, withOrigin: withOrigin)
            if holder != .nobody { return reading }
            if case .record(let record, _) = reading, record.observation.phase == .emptied { return reading }
            // The shim writes its last before it lets go, maybe between the read and the look at the lock.
            let again = try Files.open(record(id), [.noFollow, .nonblocking])
            return decode(try read(again), id, holder, withOrigin: withOrigin)
        } catch  where error.errno == ErrorNumber.notFound {
            return .nothing
        } catch {
            return failure(error, record(id))
        }
    }

    /// Reads the durable end.
    func readEnd(_ id: InvocationID) -> Reading {
        do {
            let file = try Files.open(end(id), [.noFollow, .nonblocking])
            return decode(try file.readAll(limit: RecordFiles.sizeLimit), id, .nobody, path: end(id))
        } catch  where error.errno == ErrorNumber.notFound {
            return .nothing
        } catch {
            return failure(error, end(id))
        }
    }

    /// What is no file of ours is damage; that there is no descriptor or no memory left is not, nor is an I/O error:
    /// whoever took it for damage would kill attempts that are well.
    private func failure(_ error: SystemError, _ path: String) -> Reading {
        switch error.errno {
        case ErrorNumber.tooLarge, ErrorNumber.isDirectory, ErrorNumber.tooManyLinks:
            .damaged("\(path) cannot be read: \(error)", .nobody)
        default:
            .unreadable(SystemError(call: error.call, path: path, errno: error.errno))
        }
    }

    private func decode(
        _ bytes: [UInt8], _ id: InvocationID, _ holder: FileLock.Holder, path: String? = nil, withOrigin: Bool = true
    ) -> Reading {
        let path = path ?? record(id)
        let read: AttemptRecord
        do { read = try AttemptRecord(decoding: bytes, withOrigin: withOrigin) } catch {
            if case .newer = error { return .newer("\(path): \(error)", holder) }
            return .damaged("\(path): \(error)", holder)
        }
        if read.observation.invocation != id {
            return .damaged("\(path) holds the record of another attempt, \(read.observation.invocation)", holder)
        }
        return .record(read, holder)
    }

    /// The process that holds the record's lock, by a pidfd that is certainly its own: the lock is looked at before the
    /// pidfd is opened and again after it, and no other process can have taken its place in between, because a shim that
    /// let go never comes back (threat-model G3). `nil`: nobody holds it.
    func openShim(_ id: InvocationID) throws(SystemError) -> ProcessHandle? {
        for _ in 0..<10 {
            let file: OwnedDescriptor
            do { file = try Files.open(record(id), [.noFollow, .nonblocking]) } catch {
                if error.errno == ErrorNumber.notFound { return nil }
                throw error
            }
            guard case .process(let pid) = try file.lockHolder() else { return nil }
            if pid <= 0 {
                // A pid namespace that does not show it: there is a shim, but no way to reach it.
                throw SystemError(call: "fcntl F_GETLK", path: record(id), errno: ErrorNumber.noProcess)
            }
            guard let handle = try ProcessHandle.open(pid: pid) else { continue }
            if try file.lockHolder() == .process(pid) { return handle }
        }
        return nil
    }
}
