import CLinux
import CRecord

extension Attempt {
    /// What the kernel enforces, set before there is a process that it could be enforced for.
    mutating func setLimits(_ specification: Specification) throws(StepFailure) {
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
        if specification.first(FAF_SPEC_OOM_POLICY)?.loadUnaligned(as: UInt32.self) == FAF_OOM_STOP.rawValue {
            let events = faf_open_in(cgroup, cString("memory.events"))
            // No memory controller: fafd has refused what the unit asks for, and this is only what it does by itself.
            if events != -FAF_ENOENT { memory = try check(FAF_STEP_CGROUP, events) }
        }
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

    /// Before the cgroup can go, and with it all that it has counted.
    func keepCounters() {
        guard cgroup >= 0 else { return }
        func number(_ file: StaticString, _ key: StaticString) -> UInt64 {
            faf_cgroup_number(cgroup, cString(file), cString(key))
        }
        func sum(_ key: StaticString) -> UInt64 { faf_cgroup_sum(cgroup, cString("io.stat"), cString(key)) }
        var counters = faf_record_counters()
        counters.cpu_user_us = number("cpu.stat", "user_usec")
        counters.cpu_system_us = number("cpu.stat", "system_usec")
        counters.cpu_throttled_us = number("cpu.stat", "throttled_usec")
        counters.memory_max_bytes = number("memory.max", "")
        counters.oom_kills = number("memory.events", "oom_kill")
        counters.oom_group_kills = number("memory.events", "oom_group_kill")
        counters.oom_own = number("memory.events.local", "oom")
        counters.io_read_bytes = sum("rbytes")
        counters.io_written_bytes = sum("wbytes")
        counters.io_reads = sum("rios")
        counters.io_writes = sum("wios")
        counters.refused_forks = number("pids.events", "max")
        _ = record.write(FAF_SLOT_COUNTERS, at: FAF_AT_COUNTERS, value: counters)
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
