/// What an attempt's cgroup counted until it was empty. What the kernel, or a missing controller, did not tell is `nil`.
public struct CgroupCounters: Sendable, Hashable, Codable {
    /// µs of CPU time of all processes.
    public var userMicroseconds: UInt64?
    public var systemMicroseconds: UInt64?
    /// µs for which `CPUQuota=` held them back.
    public var throttledMicroseconds: UInt64?
    /// `memory.max` at the end, bytes; `nil` also without a limit.
    public var memoryMaxBytes: UInt64?
    /// Processes that the kernel killed for lack of memory, whosever limit was the reason.
    public var oomKills: UInt64?
    /// How often it killed all of them together.
    public var oomGroupKills: UInt64?
    /// How often the attempt's own limit was the reason.
    public var ownOutOfMemory: UInt64?
    /// To and from block devices.
    public var readBytes: UInt64?
    public var writtenBytes: UInt64?
    public var reads: UInt64?
    public var writes: UInt64?
    /// Forks that `TasksMax=` refused.
    public var refusedForks: UInt64?

    public init() {}
}
