public import Varlink

extension Wire {
    /// What an attempt used.
    public struct Usage: WireObject {
        /// CPU time in user mode, of the main process and the children it waited for.
        public var userUSec: Int64
        /// CPU time in the kernel, of the same.
        public var systemUSec: Int64
        /// Largest resident set of one process.
        public var maxResidentBytes: Int64
        /// Peak memory of the whole cgroup; missing without a memory controller.
        public var memoryPeakBytes: Int64?
        /// CPU time of all processes of the attempt; missing without a cgroup.
        public var cpuUSec: Int64?
        /// The part of it in user mode.
        public var cpuUserUSec: Int64?
        /// The part of it in the kernel.
        public var cpuSystemUSec: Int64?
        /// How long CPUQuota= held the processes back; missing without a cpu controller.
        public var cpuThrottledUSec: Int64?
        /// MemoryMax= as it was enforced; missing without one.
        public var memoryMaxBytes: Int64?
        /// Processes that the kernel killed for lack of memory; missing without a memory controller.
        public var oomKills: Int64?
        /// Read from block devices; missing without an io controller, like the next three.
        public var readBytes: Int64?
        /// Written to block devices.
        public var writtenBytes: Int64?
        /// Read operations.
        public var reads: Int64?
        /// Write operations.
        public var writes: Int64?
        /// Forks that TasksMax= refused; missing without a pids controller.
        public var refusedForks: Int64?

        public init(
            userUSec: Int64, systemUSec: Int64, maxResidentBytes: Int64, memoryPeakBytes: Int64? = nil,
            cpuUSec: Int64? = nil
        ) {
            self.userUSec = userUSec
            self.systemUSec = systemUSec
            self.maxResidentBytes = maxResidentBytes
            self.memoryPeakBytes = memoryPeakBytes
            self.cpuUSec = cpuUSec
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            userUSec = try fields.required("userUSec")
            systemUSec = try fields.required("systemUSec")
            maxResidentBytes = try fields.required("maxResidentBytes")
            memoryPeakBytes = try fields.optional("memoryPeakBytes")
            cpuUSec = try fields.optional("cpuUSec")
            cpuUserUSec = try fields.optional("cpuUserUSec")
            cpuSystemUSec = try fields.optional("cpuSystemUSec")
            cpuThrottledUSec = try fields.optional("cpuThrottledUSec")
            memoryMaxBytes = try fields.optional("memoryMaxBytes")
            oomKills = try fields.optional("oomKills")
            readBytes = try fields.optional("readBytes")
            writtenBytes = try fields.optional("writtenBytes")
            reads = try fields.optional("reads")
            writes = try fields.optional("writes")
            refusedForks = try fields.optional("refusedForks")
        }

        public var json: JSON {
            .object([
                "userUSec": .integer(userUSec),
                "systemUSec": .integer(systemUSec),
                "maxResidentBytes": .integer(maxResidentBytes),
                "memoryPeakBytes": memoryPeakBytes.map { .integer($0) },
                "cpuUSec": cpuUSec.map { .integer($0) },
                "cpuUserUSec": cpuUserUSec.map { .integer($0) },
                "cpuSystemUSec": cpuSystemUSec.map { .integer($0) },
                "cpuThrottledUSec": cpuThrottledUSec.map { .integer($0) },
                "memoryMaxBytes": memoryMaxBytes.map { .integer($0) },
                "oomKills": oomKills.map { .integer($0) },
                "readBytes": readBytes.map { .integer($0) },
                "writtenBytes": writtenBytes.map { .integer($0) },
                "reads": reads.map { .integer($0) },
                "writes": writes.map { .integer($0) },
                "refusedForks": refusedForks.map { .integer($0) },
            ])
        }
    }
}
