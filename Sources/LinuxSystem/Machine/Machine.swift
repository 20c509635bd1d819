private import Glibc

/// This machine and its kernel: what they are called, what they have.
public enum Machine {
    /// `/proc/sys/kernel/random/boot_id`: a UUID that is new with each boot.
    public static func bootID() throws(SystemError) -> String { try line("/proc/sys/kernel/random/boot_id") }

    /// `/etc/machine-id` (machine-id(5)); `nil` where there is none.
    public static func machineID() -> String? {
        guard let id = try? line("/etc/machine-id"), !id.isEmpty, id != "uninitialized" else { return nil }
        return id
    }

    public static func hostname() throws(SystemError) -> String { try line("/proc/sys/kernel/hostname") }

    /// As `uname -r`.
    public static func kernelRelease() throws(SystemError) -> String { try line("/proc/sys/kernel/osrelease") }

    /// Bytes; at most what the cgroup at the top allows, which in a container is its limit.
    public static var physicalMemory: UInt64 {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return min(UInt64(clamping: pages) * pageSize, topLimit("memory.max") ?? .max)
    }

    public static var pageSize: UInt64 { UInt64(clamping: sysconf(Int32(_SC_PAGESIZE))) }

    /// How many processes and threads there may be in all (proc_sys_kernel(5); pid 0 is nobody's).
    public static var tasksMax: UInt64 {
        func number(_ path: String) -> UInt64? { (try? line(path)).flatMap { UInt64($0) } }
        let pids = number("/proc/sys/kernel/pid_max").map { $0 - min($0, 1) } ?? .max
        return min(pids, number("/proc/sys/kernel/threads-max") ?? .max, topLimit("pids.max") ?? .max)
    }

    private static func topLimit(_ file: String) -> UInt64? {
        guard let mount = (try? CgroupMount.find()) ?? nil else { return nil }
        return (try? line(mount.point + "/" + file)).flatMap { UInt64($0) }
    }

    /// The number of the last capability that the kernel knows (capabilities(7)).
    public static func lastCapability() -> Int {
        (try? line("/proc/sys/kernel/cap_last_cap")).flatMap { Int($0) } ?? 40
    }

    private static func line(_ path: String) throws(SystemError) -> String {
        guard let bytes = try Files.read(path, limit: 4096) else {
            throw SystemError(call: "open", path: path, errno: ErrorNumber.notFound)
        }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
