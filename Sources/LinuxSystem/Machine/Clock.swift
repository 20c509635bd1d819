internal import CLinux

/// The kernel's clocks in µs (clock_gettime(2)).
public enum Clocks {
    /// Time since boot, suspend included: for deadlines (threat-model J).
    public static var boottime: Int64 { fafd_boottime_us() }
    /// Time since boot without suspend: what systemd stamps its messages with.
    public static var monotonic: Int64 { fafd_monotonic_us() }
    /// Time since 1970: for display and the store only.
    public static var realtime: Int64 { fafd_realtime_us() }
}
