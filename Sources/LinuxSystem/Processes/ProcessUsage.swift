private import Glibc

/// What single processes use (proc(5)). A process that is gone uses nothing: that is `nil`.
public enum ProcessUsage {
    /// Bytes of anonymous and shared memory; what several processes share counts in parts (PSS).
    public static func memory(of pid: Int32) throws(SystemError) -> UInt64? {
        try unlessGone { () throws(SystemError) in
            guard let text = try KernelText(path: "/proc/\(pid)/smaps_rollup") else { return nil }
            // Linux 5.4 tells page cache apart.
            if let anonymous = text["Pss_Anon:"], let shared = text["Pss_Shmem:"] { return (anonymous + shared) * 1024 }
            return text["Pss:"].map { $0 * 1024 }
        }
    }

    /// µs of CPU time, with that of the children that it has waited for; in steps of the clock's ticks (10 ms).
    public static func cpuTime(of pid: Int32) throws(SystemError) -> UInt64? {
        try unlessGone { () throws(SystemError) in
            guard let bytes = try Files.read("/proc/\(pid)/stat", limit: 4096) else { return nil }
            // The name may hold anything: what counts begins behind its last parenthesis, with field 3.
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 14 else { return nil }
            let ticks = fields[11...14].compactMap { UInt64($0) }.reduce(0, +)
            return ticks * 1_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        }
    }

    /// Its children, theirs, and so on; those that come meanwhile may be missing.
    public static func descendants(of pid: Int32) throws(SystemError) -> [Int32] {
        var found = try children(of: pid)
        var next = 0
        while next < found.count {
            found += try children(of: found[next])
            next += 1
        }
        return found
    }

    private static func children(of pid: Int32) throws(SystemError) -> [Int32] {
        let threads = try unlessGone { () throws(SystemError) in try Files.list("/proc/\(pid)/task") } ?? []
        var found: [Int32] = []
        for thread in threads {
            let bytes = try unlessGone { () throws(SystemError) in
                try Files.read("/proc/\(pid)/task/\(thread)/children")
            }
            found += String(decoding: bytes ?? [], as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
        }
        return found
    }

    private static func unlessGone<Value>(_ body: () throws(SystemError) -> Value?) throws(SystemError) -> Value? {
        do { return try body() } catch
            where error.errno == ErrorNumber.noProcess || error.errno == ErrorNumber.notFound
        {
            return nil
        }
    }
}
