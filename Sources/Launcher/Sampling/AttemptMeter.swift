internal import LinuxSystem
internal import ShimProtocol
public import TaskModel

/// Reads what one attempt uses. Blocking, for some 10 µs; thread-safe.
public struct AttemptMeter: Sendable {
    /// `nil`: there are no cgroups here, and the shim's descendants stand in.
    let cgroup: Cgroup?
    let shim: Int32
    private let hasMemoryController: Bool

    init(cgroup: Cgroup?, shim: Int32) {
        self.cgroup = cgroup
        self.shim = shim
        hasMemoryController = cgroup?.hasMemoryController ?? false
    }

    /// What cannot be read is `nil` in it.
    public func measure(_ what: Set<ConditionSettings.Quantity>) -> Measurement {
        var measurement = Measurement(time: UInt64(clamping: Clocks.boottime))
        if what.contains(.memory) { measurement.memoryBytes = (try? memory()) ?? nil }
        if what.contains(.cpu) { measurement.cpuMicroseconds = (try? cpuTime()) ?? nil }
        if what.contains(.pressure) { measurement.pressure = (try? cgroup?.memoryPressure()) ?? nil }
        return measurement
    }

    private func memory() throws(SystemError) -> UInt64? {
        if hasMemoryController { return try cgroup?.memoryInUse() }
        return try sum { (pid) throws(SystemError) in try ProcessUsage.memory(of: pid) }
    }

    private func cpuTime() throws(SystemError) -> UInt64? {
        if let cgroup { return try cgroup.cpuTime() }
        return try sum { (pid) throws(SystemError) in try ProcessUsage.cpuTime(of: pid) }
    }

    /// `nil`: nobody is left.
    private func sum(_ value: (Int32) throws(SystemError) -> UInt64?) throws(SystemError) -> UInt64? {
        let processes: [Int32]
        if let cgroup {
            processes = try cgroup.allProcesses()
        } else {
            processes = try ProcessUsage.descendants(of: shim)
        }
        var sum: UInt64?
        for pid in processes {
            if let part = try value(pid) { sum = (sum ?? 0) + part }
        }
        return sum
    }
}

extension Launcher {
    /// A meter for an attempt that runs; `nil`: it has no shim any more, or its record cannot be read.
    public func meter(_ id: InvocationID) -> AttemptMeter? {
        guard case .record(let record, .process(let shim)) = files.readRecord(id) else { return nil }
        let observation = record.observation
        let cgroup =
            record.cgroup == nil
            ? nil : subtree.cgroup(run: observation.run, attempt: observation.number, recorded: record.cgroup)
        return AttemptMeter(cgroup: cgroup, shim: shim)
    }
}
