import CLinux
import CRecord

extension Attempt {
    /// How long fafd has to store the end, in µs: enough for a busy disk. A power cut meanwhile makes the run `lost`, as
    /// one before the sync of the file does.
    private static var patience: UInt64 { 200_000 }

    /// Nothing is left: counters, then `emptied` in the live record, by which fafd learns of the end. A file has to keep
    /// it only if fafd does not say in time that it is in the store: whoever sees a free lock finds the end durable in one
    /// or the other, or is told that there was no room for it.
    mutating func end() {
        readNotifications()
        flushTexts()
        var emptied = faf_record_emptied()
        // Before the counters: to gather them takes the kernel a while.
        faf_now(&emptied.realtime_us, &emptied.boottime_us)
        emptied.cgroup_us = StopSequence.never
        emptied.memory_peak_bytes = StopSequence.never
        // Nobody says anything any more: there is room in what was for that.
        guard let page = texts else { return }
        var counters: faf_record_counters?
        if cgroup >= 0 { counters = count(&emptied, page) }
        // In one write: whoever hears of it looks once.
        guard record.read(to: page) else { return }
        if let exited { Record.put(FAF_SLOT_EXITED, FAF_AT_EXITED, exited, in: page) }
        if let counters { Record.put(FAF_SLOT_COUNTERS, FAF_AT_COUNTERS, counters, in: page) }
        Record.put(FAF_SLOT_EMPTIED, FAF_AT_EMPTIED, emptied, in: page)
        let isSaid = faf_write_at(record.fd, page, Record.pageSize, nil, 0, 0) == 0
        if isSaid, isStored() { return }
        let error = writeEnd(isSaid ? nil : page)
        if error < 0 {
            emptied.flags |= FAF_EMPTIED_NOT_DURABLE.rawValue
            emptied.end_error = -error
            _ = record.write(FAF_SLOT_EMPTIED, at: FAF_AT_EMPTIED, sequence: 2, value: emptied)
        }
    }

    /// Whether fafd says so before its time is over.
    private mutating func isStored() -> Bool {
        let word = faf_stop_encode(
            UInt8(FAF_STOP_STORED.rawValue), 0, 0, UInt32(truncatingIfNeeded: core.invocation_low))
        guard faf_timer_set(timer, faf_boottime() + Attempt.patience) == 0 else { return false }
        var set = faf_wait_set(signals: signals, notify: -1, timer: timer, events: -1, main: -1, memory: -1)
        while true {
            let ready = faf_wait(&set)
            var signal = faf_signal()
            while faf_read_signal(signals, &signal) == 0 {
                guard signal.is_request != 0 else { continue }
                if signal.value == word { return true }
                keepWish(UInt32(signal.value & 0xFF), UInt32(signal.value >> 32))
            }
            if ready < 0 || ready & Int32(FAF_WAIT_TIMER.rawValue) != 0 { return false }
        }
    }

    /// The record's bytes, written aside, synced and renamed. 0 or -errno.
    ///
    /// - Parameter page: its first bytes as they should be, if they could not be written.
    private func writeEnd(_ page: UnsafeMutableRawPointer?) -> Int32 {
        let size = faf_file_size(record.fd)
        if size < 0 { return Int32(size) }
        let count = max(Int(size), Record.pageSize)
        var error: Int32 = 0
        guard let copy = faf_map_file(record.fd, count, &error) else { return -error }
        defer { faf_unmap(copy, count) }
        if let page { copy.copyMemory(from: page, byteCount: Record.pageSize) }
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
