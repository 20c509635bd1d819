import CLinux
import CRecord

extension Attempt {
    /// Nothing is left: counters, the durable end, and only then `emptied` in the live record. Whoever sees that, or a
    /// free lock, finds the end on disk, or is told that there was no room for it.
    mutating func end() {
        readNotifications()
        flushTexts()
        var emptied = faf_record_emptied()
        // Before the counters: to gather them takes the kernel a while.
        faf_now(&emptied.realtime_us, &emptied.boottime_us)
        emptied.cgroup_us = StopSequence.never
        emptied.memory_peak_bytes = StopSequence.never
        if cgroup >= 0 {
            emptied.cgroup_us = faf_cgroup_number(cgroup, cString("cpu.stat"), cString("usage_usec"))
            emptied.memory_peak_bytes = faf_cgroup_number(cgroup, cString("memory.peak"), cString(""))
        }
        keepCounters()
        let error = writeEnd(emptied)
        if error < 0 {
            emptied.flags |= FAF_EMPTIED_NOT_DURABLE.rawValue
            emptied.end_error = -error
        }
        _ = record.write(FAF_SLOT_EMPTIED, at: FAF_AT_EMPTIED, value: emptied)
    }

    /// The record's bytes as they will be, written aside, synced and renamed. 0 or -errno.
    private func writeEnd(_ emptied: faf_record_emptied) -> Int32 {
        let size = faf_file_size(record.fd)
        if size < 0 { return Int32(size) }
        let count = max(Int(size), Int(FAF_AT_EMPTIED) + 192)
        var error: Int32 = 0
        guard let copy = faf_map_file(record.fd, count, &error) else { return -error }
        defer { faf_unmap(copy, count) }
        withUnsafeBytes(of: emptied) { payload in
            let slot = Record.slot(FAF_SLOT_EMPTIED, 1, payload)
            let place = copy + Int(FAF_AT_EMPTIED)
            place.storeBytes(of: slot, as: faf_slot.self)
            if let source = payload.baseAddress {
                (place + MemoryLayout<faf_slot>.size).copyMemory(from: source, byteCount: payload.count)
            }
        }
        return writeDurably(UnsafeRawBufferPointer(start: copy, count: count))
    }

    private func writeDurably(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        _ = faf_unlink(paths.temporaryEnd)
        let file = faf_open(paths.temporaryEnd, FAF_OPEN_EXCLUSIVE.rawValue)
        if file < 0 { return file }
        var error = faf_write_all(file, bytes.baseAddress, bytes.count)
        // A failed fsync is not tried again: the kernel may have dropped the pages that could not be written.
        if error == 0 { error = faf_fsync(file) }
        faf_close(file)
        if error == 0 { error = faf_rename(paths.temporaryEnd, paths.end) }
        if error < 0 {
            _ = faf_unlink(paths.temporaryEnd)
            return error
        }
        let directory = faf_open(paths.ends, FAF_OPEN_DIRECTORY.rawValue)
        if directory < 0 { return directory }
        error = faf_fsync(directory)
        faf_close(directory)
        return error
    }
}
