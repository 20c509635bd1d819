internal import CLinux

/// The process that runs this code.
public enum OwnProcess {
    /// Effective ids.
    public static var uid: UInt32 { fafd_uid() }
    public static var gid: UInt32 { fafd_gid() }
    public static var pid: Int32 { fafd_pid() }

    /// The effective set of capabilities, as bits (proc(5), CapEff).
    public static func capabilities() -> UInt64 {
        let status = String(decoding: ((try? Files.read("/proc/self/status")) ?? nil) ?? [], as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") } ?? ""
        return UInt64(line.dropFirst(7).filter(\.isHexDigit), radix: 16) ?? 0
    }

    /// Orphaned descendants become this process's children instead of init's (PR_SET_CHILD_SUBREAPER): for containers
    /// whose first process reaps nothing.
    public static func becomeSubreaper() throws(SystemError) { try check(fafd_become_subreaper(), "prctl") }

    /// RLIMIT_NOFILE; `UInt64.max`: none.
    public static func openFilesLimit() throws(SystemError) -> (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        try check(fafd_get_limit(FAFD_LIMIT_OPEN_FILES, &soft, &hard), "getrlimit")
        return (soft, hard)
    }

    /// Raises or lowers the soft RLIMIT_NOFILE, at most to the hard one.
    public static func setOpenFilesLimit(_ soft: UInt64) throws(SystemError) {
        try check(fafd_set_soft_limit(FAFD_LIMIT_OPEN_FILES, soft), "setrlimit")
    }

    /// Threads share two heaps instead of getting one each: what is free on one is of no use to the others. To be called
    /// before there are many threads.
    public static func limitHeaps() { fafd_limit_heaps(2) }

    /// Memory that is not in use goes back to the kernel: what a burst has left on the heap (malloc_trim(3)) and, with
    /// `program`, the mapped pages of this program's text, which come back from the page cache as they are needed.
    public static func giveBackMemory(program: Bool) {
        if program { fafd_give_back_program() }
        fafd_give_back_heap()
    }
}
