import CLinux
import CRecord

extension Attempt {
    /// What the kernel enforces, set before there is a process that it could be enforced for.
    mutating func setLimits(_ specification: Specification) throws(StepFailure) {
        if specification.first(FAF_SPEC_CGROUP_LIMIT) != nil { try setEachLimit(specification) }
        if specification.first(FAF_SPEC_OOM_POLICY)?.loadUnaligned(as: UInt32.self) == FAF_OOM_STOP.rawValue {
            let events = faf_open_in(cgroup, cString("memory.events"))
            // No memory controller: fafd has refused what the unit asks for, and this is only what it does by itself.
            if events != -FAF_ENOENT { memory = try check(FAF_STEP_CGROUP, events) }
        }
    }

    private func setEachLimit(_ specification: Specification) throws(StepFailure) {
        guard var arena = Arena(size: specification.copySize) else {
            throw StepFailure(FAF_STEP_CGROUP_LIMIT, FAF_ENOMEM)
        }
        defer { arena.free() }
        var failure: StepFailure?
        var item: Int32 = 0
        let cgroup = cgroup
        specification.forEach { tag, payload in
            guard tag == FAF_SPEC_CGROUP_LIMIT.rawValue, failure == nil else { return }
            let error = setLimit(cgroup, payload, &arena)
            if error < 0 { failure = StepFailure(FAF_STEP_CGROUP_LIMIT, -error, item: item) }
            item += 1
        }
        if let failure { throw failure }
    }

    /// OOMPolicy=stop: whatever the kernel killed, the rest ends in order.
    mutating func watchMemory() {
        let kills = faf_number_at(memory, cString("oom_kill"))
        guard kills > 0, kills != StopSequence.never else { return }
        faf_close(memory)
        memory = -1
        // Once the main process has ended, what is left is stopped as KillMode= says, and the counters tell the rest.
        if !mainHasEnded { perform(stop.requested(.outOfMemory, signal: 0, uid: 0, at: faf_boottime())) }
    }

    /// Before the cgroup can go, and with it all that it has counted. `room`: a page.
    func count(_ emptied: inout faf_record_emptied, _ room: UnsafeMutableRawPointer) -> faf_record_counters {
        let text = room.assumingMemoryBound(to: CChar.self)
        func read(_ file: StaticString) { faf_cgroup_text(cgroup, cString(file), text, 4096) }
        func number(_ key: StaticString) -> UInt64 { faf_number_in(text, cString(key)) }
        var counters = faf_record_counters()
        read("cpu.stat")
        emptied.cgroup_us = number("usage_usec")
        counters.cpu_user_us = number("user_usec")
        counters.cpu_system_us = number("system_usec")
        counters.cpu_throttled_us = number("throttled_usec")
        read("memory.peak")
        emptied.memory_peak_bytes = number("")
        read("memory.max")
        counters.memory_max_bytes = number("")
        read("memory.events")
        counters.oom_kills = number("oom_kill")
        counters.oom_group_kills = number("oom_group_kill")
        read("memory.events.local")
        counters.oom_own = number("oom")
        read("pids.events")
        counters.refused_forks = number("max")
        var io = faf_io()
        faf_cgroup_io(cgroup, &io)
        counters.io_read_bytes = io.read_bytes
        counters.io_written_bytes = io.written_bytes
        counters.io_reads = io.reads
        counters.io_writes = io.writes
        return counters
    }
}

/// 0 or -errno.
private func setLimit(_ cgroup: Int32, _ payload: UnsafeRawBufferPointer, _ arena: inout Arena) -> Int32 {
    guard let end = Specification.cgroupLimit(payload),
        let name = arena.copy(UnsafeRawBufferPointer(rebasing: payload[..<end])),
        let value = arena.copy(UnsafeRawBufferPointer(rebasing: payload[(end + 1)...]))
    else { return -FAF_ENOMEM }
    return faf_write_in_cgroup(cgroup, name, value)
}
