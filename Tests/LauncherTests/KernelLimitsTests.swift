import TaskModel
import Testing

@testable import Launcher

/// systemd 252's `cgroup.c` and `limits-util.c`, by hand.
@Suite struct KernelLimitsTests {
    private func files(_ change: (inout ResourceSettings) -> Void) -> [String] {
        var settings = ResourceSettings()
        change(&settings)
        return KernelLimits(settings, memory: 4_000_000_000, tasks: 32_767, pageSize: 4096).limits
            .map { "\($0.controller) \($0.file)=\($0.value)" }
    }

    @Test func `what is not set, or infinite, needs no file`() {
        #expect(files { _ in } == [])
        let none = files {
            $0.memoryMax = .infinity
            $0.memoryHigh = .infinity
            $0.memorySwapMax = .infinity
            $0.tasksMax = .infinity
            $0.memoryLow = .absolute(0)
            $0.oomPolicy = .continue
        }
        #expect(none == [])
    }

    @Test func `each has its file`() {
        let all = files {
            $0.memoryMax = .absolute(48 << 20)
            $0.memoryHigh = .absolute(1)
            $0.memoryLow = .infinity
            $0.memorySwapMax = .absolute(0)
            $0.tasksMax = .absolute(100)
            $0.cpuWeight = .of(250)
            $0.oomPolicy = .kill
        }
        #expect(
            all == [
                "memory memory.max=50331648", "memory memory.high=1", "memory memory.low=max",
                "memory memory.swap.max=0",
                "pids pids.max=100", "cpu cpu.weight=250", "memory memory.oom.group=1",
            ])
        #expect(files { $0.cpuWeight = .idle } == ["cpu cpu.idle=1"])
    }

    @Test func `a percentage is of the machine, in whole pages`() {
        // 976562 pages; a tenth of them is 97656.
        #expect(files { $0.memoryMax = .share(1000) } == ["memory memory.max=\(97_656 * 4096)"])
        #expect(files { $0.memoryMax = .share(10_000) } == ["memory memory.max=\(976_562 * 4096)"])
        #expect(files { $0.tasksMax = .share(1000) } == ["pids pids.max=3276"])
        #expect(files { $0.tasksMax = .share(1) } == ["pids pids.max=3"])
        let huge = KernelLimits(
            {
                var settings = ResourceSettings()
                settings.memoryMax = .share(9_999)
                return settings
            }(), memory: .max, tasks: .max, pageSize: 4096)
        #expect(huge.limits.map(\.value) == ["18444899399302172672"])
    }

    @Test func `quota and period are no shorter than the kernel can count`() {
        func max(_ quota: UInt32, _ period: UInt64? = nil) -> [String] {
            files {
                $0.cpuQuota = quota
                $0.cpuQuotaPeriod = period
            }
        }
        #expect(max(2000) == ["cpu cpu.max=20000 100000"])
        #expect(max(20_000) == ["cpu cpu.max=200000 100000"])
        #expect(max(2000, 10_000) == ["cpu cpu.max=2000 10000"])
        #expect(max(2000, 0) == ["cpu cpu.max=1000 5000"])
        #expect(max(2000, 60_000_000) == ["cpu cpu.max=200000 1000000"])
        #expect(max(1) == ["cpu cpu.max=1000 1000000"])
    }

    @Test func `BFQ has a scale of its own`() {
        #expect(KernelLimits.ioFiles(1).map(\.value) == ["default 1", "1"])
        #expect(KernelLimits.ioFiles(100).map(\.value) == ["default 100", "100"])
        #expect(KernelLimits.ioFiles(10_000).map(\.value) == ["default 10000", "1000"])
        #expect(KernelLimits.ioFiles(5050).map(\.value) == ["default 5050", "550"])
    }

    @Test func `lists of CPUs are read as the kernel writes them`() {
        #expect(CPUSet(list: "0-3,5\n")?.text == "0-3,5")
        #expect(CPUSet(list: "\n") == nil)
        #expect(CPUSet(list: "3-1") == nil)
        var set = CPUSet()
        for range in [UInt16(5)...5, 0...1, 2...3, 8...9, 4...4] { set.insert(range) }
        #expect(set.text == "0-5,8-9")
        #expect(CPUSet(list: "9-20").map(set.overlaps) == true)
        #expect(CPUSet(list: "6-7").map(set.overlaps) == false)
    }
}
