extension Cgroup {
    /// Whether `memoryInUse` has an answer.
    public var hasMemoryController: Bool { (try? FileStatus.of(path: path + "/memory.stat")) != nil }

    /// Bytes of anonymous, shared and kernel memory of all that is in it and below it; no page cache (`memory.stat`).
    /// `nil`: there is no memory controller.
    public func memoryInUse() throws(SystemError) -> UInt64? {
        guard let stat = try KernelText(path: path + "/memory.stat") else { return nil }
        guard let anonymous = stat["anon"], let shared = stat["shmem"] else { throw unexpected("memory.stat") }
        // `kernel`: Linux 5.18. Before, its parts.
        let kernel =
            stat["kernel"] ?? (stat["slab"] ?? 0) + (stat["kernel_stack"] ?? 0) + (stat["pagetables"] ?? 0)
            + (stat["percpu"] ?? 0)
        return anonymous + shared + kernel
    }

    /// µs of CPU time of all that is or was in it and below it (`cpu.stat`, which needs no controller). `nil`: it is gone.
    public func cpuTime() throws(SystemError) -> UInt64? {
        guard let stat = try KernelText(path: path + "/cpu.stat") else { return nil }
        guard let used = stat["usage_usec"] else { throw unexpected("cpu.stat") }
        return used
    }

    /// The share of the last 10 s, in ten-thousandths, in which some process in it waited for memory (`memory.pressure`,
    /// PSI). `nil`: this kernel does not tell.
    public func memoryPressure() throws(SystemError) -> UInt64? {
        let bytes: [UInt8]?
        // EOPNOTSUPP: PSI is there and switched off (psi=0).
        do { bytes = try Files.read(path + "/memory.pressure", limit: 4096) } catch  where error.errno == 95 {
            return nil
        }
        guard let bytes else { return nil }
        guard let share = Self.average(String(decoding: bytes, as: UTF8.self)) else {
            throw unexpected("memory.pressure")
        }
        return share
    }

    /// `some avg10=1.25 avg60=…`: 125.
    static func average(_ text: String) -> UInt64? {
        let mark = "some avg10="
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(mark) }),
            let word = line.dropFirst(mark.count).split(separator: " ").first
        else { return nil }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 2, let whole = UInt32(parts[0]), let rest = UInt32(parts[1])
        else {
            return nil
        }
        return UInt64(whole) * 100 + UInt64(rest)
    }

    /// All processes that are in it or below it.
    public func allProcesses() throws(SystemError) -> [Int32] {
        var found = try processes()
        // An attempt seldom makes cgroups: as kernfs counts its links it has none in nearly all.
        if try FileStatus.of(path: path)?.links ?? 2 > 2 {
            for name in try children() { found += try child(name).allProcesses() }
        }
        return found
    }

    private func unexpected(_ file: String) -> SystemError {
        SystemError(call: "read", path: path + "/" + file, errno: ErrorNumber.protocol)
    }
}
