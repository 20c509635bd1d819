/// What the kernel is to enforce for each attempt (systemd.resource-control(5)), as the unit has it.
///
/// Stored with the run: all optional, `nil` is what the kernel does by itself.
public struct ResourceSettings: Sendable, Hashable, Codable {
    /// A size or a number, or a part of what the machine has, which is looked up at each launch.
    public enum Amount: Sendable, Hashable, Codable {
        case infinity
        case absolute(UInt64)
        /// In ten-thousandths.
        case share(UInt32)
    }

    public enum Weight: Sendable, Hashable, Codable {
        /// Only what nobody else wants.
        case idle
        /// 1...10000; 100 is everybody's.
        case of(UInt16)
    }

    /// What happens once the kernel has killed a process for lack of memory.
    public enum OOMPolicy: String, Sendable, Hashable, Codable, CaseIterable { case `continue`, stop, kill }

    public var memoryMax: Amount?
    public var memoryHigh: Amount?
    public var memoryLow: Amount?
    public var memorySwapMax: Amount?
    public var tasksMax: Amount?
    /// Ten-thousandths of one CPU's time.
    public var cpuQuota: UInt32?
    /// µs; `nil`: 100 ms.
    public var cpuQuotaPeriod: UInt64?
    public var cpuWeight: Weight?
    public var ioWeight: UInt16?
    public var allowedCPUs: CPUSet?
    /// `nil`: `stop`, where there is a memory controller.
    public var oomPolicy: OOMPolicy?

    public init() {}
}

/// Numbers of CPUs.
public struct CPUSet: Sendable, Hashable, Codable {
    /// More than any kernel is built for.
    public static let limit: UInt16 = 8192

    /// Ascending, no two touch.
    public private(set) var ranges: [ClosedRange<UInt16>] = []

    public init() {}

    public mutating func insert(_ new: ClosedRange<UInt16>) {
        var all = ranges + [new]
        all.sort { $0.lowerBound < $1.lowerBound }
        ranges = all.dropFirst().reduce(into: Array(all.prefix(1))) { merged, next in
            let last = merged[merged.count - 1]
            if Int(next.lowerBound) <= Int(last.upperBound) + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, next.upperBound)
            } else {
                merged.append(next)
            }
        }
    }

    public func overlaps(_ other: CPUSet) -> Bool {
        ranges.contains { mine in other.ranges.contains { mine.overlaps($0) } }
    }

    /// `0-3,5`, as the kernel writes it.
    public var text: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}
