/// A set of capabilities, by the kernel's numbers (capabilities(7)): bit 0 is CAP_CHOWN.
public struct CapabilitySet: OptionSet, Sendable, Hashable, Codable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Those too that a newer kernel has.
    public static let all = CapabilitySet(rawValue: .max)
    /// Those that have a name here.
    public static let named = CapabilitySet(rawValue: 1 << UInt64(names.count) - 1)
    public static let mknod = CapabilitySet(rawValue: 1 << 27)
    public static let setPCap = CapabilitySet(rawValue: 1 << 8)
    public static let netAdmin = CapabilitySet(rawValue: 1 << 12)
    public static let sysRawIO = CapabilitySet(rawValue: 1 << 17)
    public static let sysAdmin = CapabilitySet(rawValue: 1 << 21)
    public static let sysPtrace = CapabilitySet(rawValue: 1 << 19)
    public static let sysResource = CapabilitySet(rawValue: 1 << 24)

    /// In the order of their numbers, as linux/capability.h of Linux 5.9 and later has them.
    public static let names = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]

    /// Those of the set that have a name, in the order of their numbers.
    public var names: [String] {
        Self.names.indices.filter { rawValue >> UInt64($0) & 1 != 0 }.map { Self.names[$0] }
    }
}
