internal import LinuxSystem
internal import ShimProtocol
internal import TaskModel

/// A unit's limits as files of the attempt's cgroup (systemd.resource-control(5), systemd's `cgroup.c`).
struct KernelLimits: Equatable {
    /// One file that has to take its value.
    struct Limit: Equatable {
        /// As the unit has it: `MemoryMax=`.
        let setting: String
        let controller: String
        let file: String
        let value: String
    }

    /// All that the shim is told.
    typealias Files = (files: [Limit], stops: Bool)

    private(set) var limits: [Limit] = []
    /// IOWeight=: the kernel has one of two files for it, or both.
    private(set) var ioWeight: UInt16?
    private(set) var cpus: CPUSet?
    /// The shim stops the attempt when the kernel has killed one of its processes. Unless the unit asks for it, only
    /// where the kernel tells.
    private(set) var stopsOutOfMemory = false

    /// - Parameters:
    ///   - memory: of the machine, bytes.
    ///   - tasks: what the system allows.
    init(
        _ settings: ResourceSettings, memory: @autoclosure () -> UInt64, tasks: @autoclosure () -> UInt64,
        pageSize: UInt64 = Machine.pageSize
    ) {
        func add(_ setting: String, _ controller: String, _ file: String, _ value: String) {
            limits.append(Limit(setting: setting + "=", controller: controller, file: file, value: value))
        }
        func amount(_ value: ResourceSettings.Amount?, of all: () -> UInt64, unit: UInt64 = 1) -> String? {
            switch value {
            case nil, .infinity: nil
            case .absolute(let number): String(number)
            case .share(let share): String(Self.scale(all() / unit, share) * unit)
            }
        }
        func memoryText(_ value: ResourceSettings.Amount?) -> String? { amount(value, of: memory, unit: pageSize) }

        if let text = memoryText(settings.memoryMax) { add("MemoryMax", "memory", "memory.max", text) }
        if let text = memoryText(settings.memoryHigh) { add("MemoryHigh", "memory", "memory.high", text) }
        if settings.memoryLow == .infinity {
            add("MemoryLow", "memory", "memory.low", "max")
        } else if let text = memoryText(settings.memoryLow), text != "0" {
            add("MemoryLow", "memory", "memory.low", text)
        }
        if let text = memoryText(settings.memorySwapMax) { add("MemorySwapMax", "memory", "memory.swap.max", text) }
        if let text = amount(settings.tasksMax, of: tasks) { add("TasksMax", "pids", "pids.max", text) }
        if let quota = settings.cpuQuota {
            add("CPUQuota", "cpu", "cpu.max", Self.cpuMax(quota: UInt64(quota), period: settings.cpuQuotaPeriod))
        }
        switch settings.cpuWeight {
        case nil: break
        case .idle: add("CPUWeight", "cpu", "cpu.idle", "1")
        case .of(let weight): add("CPUWeight", "cpu", "cpu.weight", String(weight))
        }
        if let set = settings.allowedCPUs { add("AllowedCPUs", "cpuset", "cpuset.cpus", set.text) }
        cpus = settings.allowedCPUs
        ioWeight = settings.ioWeight
        switch settings.oomPolicy {
        case .continue: break
        case .stop, nil: stopsOutOfMemory = true
        case .kill: add("OOMPolicy", "memory", "memory.oom.group", "1")
        }
    }

    /// Ten-thousandths; nothing is lost and nothing overflows on the way.
    private static func scale(_ all: UInt64, _ share: UInt32) -> UInt64 {
        let product = all.multipliedFullWidth(by: UInt64(share))
        return share >= 10_000 ? all : UInt64(10_000).dividingFullWidth(product).quotient
    }

    /// Quota and period of `cpu.max` in µs: neither is below 1 ms, the period is not above 1 s.
    private static func cpuMax(quota: UInt64, period: UInt64?) -> String {
        let least: UInt64 = 1000
        let wanted = max(period ?? 100_000, least, least * 10_000 / quota)
        let period = min(wanted, 1_000_000)
        return "\(max(quota * period / 10_000, least)) \(period)"
    }

    /// `io.weight` counts for the cost model, `io.bfq.weight` for the scheduler BFQ, up to 1000.
    static func ioFiles(_ weight: UInt16) -> [Limit] {
        let bfq = weight <= 100 ? weight : UInt16(100 + (UInt32(weight) - 100) * 900 / 9900)
        return [("io.weight", "default \(weight)"), ("io.bfq.weight", "\(bfq)")].map {
            Limit(setting: "IOWeight=", controller: "io", file: $0.0, value: $0.1)
        }
    }
}
