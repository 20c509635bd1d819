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
        }

        public var json: JSON {
            .object([
                "userUSec": .integer(userUSec),
                "systemUSec": .integer(systemUSec),
                "maxResidentBytes": .integer(maxResidentBytes),
                "memoryPeakBytes": memoryPeakBytes.map { .integer($0) },
                "cpuUSec": cpuUSec.map { .integer($0) },
            ])
        }
    }
}
