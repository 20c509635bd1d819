import CLinux
import CRecord

extension Attempt {
    /// Everything that can fail before the run is acknowledged. What was made is undone by `undo`.
    mutating func prepare(_ specification: Specification) throws(StepFailure) {
        try check(FAF_STEP_SUBREAPER, faf_set_subreaper())
        signals = try check(FAF_STEP_SIGNALS, faf_signal_descriptor(FAF_STOP_SIGNAL_OFFSET))
        timer = try check(FAF_STEP_SIGNALS, faf_timer())
        guard let texts = faf_map(Attempt.textPages) else { throw StepFailure(FAF_STEP_NOTIFY_SOCKET, FAF_ENOMEM) }
        self.texts = texts
        try makeRecord(specification)
        if let path = paths.notify {
            notify = try check(FAF_STEP_NOTIFY_SOCKET, faf_notify_socket(path, core.uid, core.gid))
            hasSocket = true
        }
        if let path = paths.cgroup { try makeCgroup(path, specification) }
        if let path = paths.io {
            hasDirectory = try check(FAF_STEP_DIRECTORY, faf_make_private_directory(path, core.uid, core.gid)) == 1
        }
        try makePrivateDirectories(specification)
    }

    /// Named, locked and filled aside, then linked: nobody ever sees a record without its lock or its head.
    private mutating func makeRecord(_ specification: Specification) throws(StepFailure) {
        var file = faf_open(paths.temporaryRecord, FAF_OPEN_EXCLUSIVE.rawValue)
        if file == -FAF_EEXIST {
            // Of a shim that was killed while it made it: a living one would hold another invocation id.
            _ = faf_unlink(paths.temporaryRecord)
            file = faf_open(paths.temporaryRecord, FAF_OPEN_EXCLUSIVE.rawValue)
        }
        record = Record(fd: try check(FAF_STEP_RECORD, file))
        do throws(StepFailure) {
            try check(FAF_STEP_RECORD, faf_lock_for_life(record.fd))
            try fillRecord(specification)
            try check(FAF_STEP_RECORD, faf_link(paths.temporaryRecord, paths.record))
            hasRecord = true
        } catch {
            _ = faf_unlink(paths.temporaryRecord)
            throw error
        }
        _ = faf_unlink(paths.temporaryRecord)
    }

    private func fillRecord(_ specification: Specification) throws(StepFailure) {
        var head = faf_record_head()
        head.magic = FAF_RECORD_MAGIC
        head.major = FAF_RECORD_MAJOR
        head.minor = FAF_RECORD_MINOR
        head.invocation_high = core.invocation_high
        head.invocation_low = core.invocation_low
        head.boot_high = core.boot_high
        head.boot_low = core.boot_low
        head.run = core.run
        head.attempt = core.attempt
        head.uid = core.uid
        head.kill_signal = core.kill_signal
        head.type = core.type
        faf_now(&head.realtime_us, &head.boottime_us)
        try check(FAF_STEP_RECORD, record.write(FAF_SLOT_HEAD, at: FAF_AT_HEAD, value: head))
        let path = paths.cgroup.map { bytes(of: $0) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
        guard path.count <= Int(FAF_CGROUP_MAX) else { throw StepFailure(FAF_STEP_CGROUP, FAF_ENAMETOOLONG) }
        try check(FAF_STEP_RECORD, record.write(FAF_SLOT_CGROUP, at: FAF_AT_CGROUP, path))
        if let origin = specification.first(FAF_SPEC_ORIGIN) {
            try check(FAF_STEP_RECORD, record.write(FAF_SLOT_ORIGIN, at: FAF_AT_ORIGIN, origin))
        }
    }

    private mutating func makeCgroup(
        _ path: UnsafePointer<CChar>, _ specification: Specification
    ) throws(StepFailure) {
        var error = faf_mkdir(path, 0o755)
        if error == -FAF_EEXIST && faf_rmdir(path) == 0 {
            // Left by a shim that was killed at the gate: the kernel lets only an empty one go.
            error = faf_mkdir(path, 0o755)
        }
        try check(FAF_STEP_CGROUP, error)
        hasCgroup = true
        cgroup = try check(FAF_STEP_CGROUP, faf_open(path, FAF_OPEN_DIRECTORY.rawValue))
        events = try check(FAF_STEP_CGROUP, faf_open_in(cgroup, cString("cgroup.events")))
        try setLimits(specification)
    }

    /// As if it had never been. The record goes last: while it is there, fafd can find the rest by it.
    mutating func undo(_ specification: Specification) {
        if hasRecord { removePrivateDirectories(specification) }
        if hasDirectory, let path = paths.io { _ = faf_rmdir(path) }
        if hasCgroup, let path = paths.cgroup { _ = faf_rmdir(path) }
        if hasSocket, let path = paths.notify { _ = faf_unlink(path) }
        if hasRecord { _ = faf_unlink(paths.record) }
    }

    /// The go is recorded before anything of it happens. False: it could not be, so nothing may.
    func pass() -> Bool {
        var passed = faf_record_passed()
        faf_now(&passed.realtime_us, &passed.boottime_us)
        return record.write(FAF_SLOT_PASSED, at: FAF_AT_PASSED, value: passed) == 0
    }

    @discardableResult
    func check(_ step: faf_step, _ result: Int32) throws(StepFailure) -> Int32 {
        if result < 0 { throw StepFailure(step, -result) }
        return result
    }
}
