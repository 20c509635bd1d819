import Lifecycle
import TaskModel
import Testing

/// god's `memory_usage` (`conditions/memory_usage.rb`), by hand, and what differs from it.
@Suite struct ConditionWatchTests {
    private func settings(
        _ times: (UInt16, UInt16) = (3, 5), _ change: (inout ConditionSettings) -> Void = { _ in }
    ) -> ConditionSettings {
        var settings = ConditionSettings()
        settings.memory.above = .absolute(100)
        settings.memory.times = .init(least: times.0, of: times.1)
        settings.memory.interval = 1_000_000
        change(&settings)
        return settings
    }

    /// At which of the samples, from 1, the condition is met.
    private func met(_ samples: [UInt64?], _ times: (UInt16, UInt16)) throws -> [Int] {
        var watch = try #require(ConditionWatch(settings(times), memory: 0, now: 0))
        return samples.enumerated().compactMap { index, sample in
            let time = UInt64(index) * 1_000_000
            var measurement = Measurement(time: time)
            measurement.memoryBytes = sample
            return watch.take(measurement, dueAt: time, at: noon).isEmpty ? nil : index + 1
        }
    }

    @Test func `m of the last n, strictly greater, wherever they stand`() throws {
        #expect(try met([101], (1, 1)) == [1])
        #expect(try met([100, 100, 100], (1, 1)) == [])
        // May be met before there are n.
        #expect(try met([101, 101, 101], (3, 5)) == [3])
        #expect(try met([101, 50, 101, 50, 101], (3, 5)) == [5])
        // The first has left the window by then.
        #expect(try met([101, 50, 101, 50, 50, 101], (3, 5)) == [])
        #expect(try met([101, 101, 50, 101, 101, 101], (3, 3)) == [6])
        #expect(try met([50, 101, 50, 101], (2, 4)) == [4])
    }

    @Test func `a failed read is no sample`() throws {
        #expect(try met([101, nil, nil, nil, nil, nil, 101, 101], (3, 5)) == [8])
        #expect(try met([nil, nil, nil], (1, 1)) == [])
    }

    @Test func `what was met begins anew`() throws {
        #expect(try met([UInt64?](repeating: 101, count: 9), (3, 5)) == [3, 6, 9])
    }

    @Test func `the verdict lists the samples and marks those that are over`() throws {
        var watch = try #require(ConditionWatch(settings(), memory: 0, now: 0))
        var met: [ConditionVerdict] = []
        for (index, bytes) in [UInt64(90), 101, 100, 2048, 3072].enumerated() {
            var measurement = Measurement(time: UInt64(index) * 1_000_000)
            measurement.memoryBytes = bytes
            met += watch.take(measurement, dueAt: measurement.time, at: noon)
        }
        #expect(met.map(\.samples) == [[90, 101, 100, 2048, 3072]])
        #expect(
            met.first?.text
                == "MemoryAbove=100 B was exceeded by 3 of 5 samples: 90 B, *101 B, 100 B, *2.0 KiB, *3.0 KiB")
        #expect(met.first?.at == noon && met.first?.action == .kill)
    }

    @Test func `CPU time is the difference between two samples`() throws {
        var settings = ConditionSettings()
        settings.cpu.above = .share(5000)
        settings.cpu.times = .init(least: 1, of: 2)
        settings.cpu.interval = 1_000_000
        var watch = try #require(ConditionWatch(settings, memory: 0, now: 0))
        func take(_ time: UInt64, _ used: UInt64?) -> [[UInt64]] {
            var measurement = Measurement(time: time)
            measurement.cpuMicroseconds = used
            return watch.take(measurement, dueAt: time, at: noon).map(\.samples)
        }
        // An hour of CPU time before the first look says nothing.
        #expect(take(0, 3_600_000_000) == [])
        #expect(take(1_000_000, 3_600_500_000) == [], "exactly 50%")
        #expect(take(2_000_000, nil) == [])
        #expect(take(4_000_000, 3_602_000_000) == [], "1.5 s in 3 s")
        #expect(take(5_000_000, 3_601_000_000) == [], "less than before: no sample")
        #expect(take(6_000_000, 3_602_500_000) == [[5000, 15_000]])
    }

    @Test func `percentages of memory are of the machine, those of pressure as they are`() throws {
        let shares = settings {
            $0.memory.above = .share(1000)
            $0.memory.times = .init(least: 1, of: 1)
            $0.pressure.above = .share(125)
            $0.pressure.times = .init(least: 1, of: 1)
        }
        var watch = try #require(ConditionWatch(shares, memory: 1_000_000, now: 0))
        var measurement = Measurement(time: 0)
        measurement.memoryBytes = 100_000
        measurement.pressure = 126
        let met = watch.take(measurement, dueAt: 0, at: noon)
        #expect(met.map(\.quantity) == [.pressure])
        #expect(met.first?.text == "PressureAbove=1.2% was exceeded by 1 of 1 samples: *1.2%")
        #expect(ConditionWatch(ConditionSettings(), memory: 0, now: 0) == nil)
    }

    @Test func `each has its interval, no drift, and at most a tenth of it too early`() throws {
        let both = settings {
            $0.cpu.above = .share(1)
            $0.cpu.interval = 10_000_000
        }
        var watch = try #require(ConditionWatch(both, memory: 0, now: 5_000_000))
        #expect(watch.due == 5_000_000)
        #expect(watch.due(at: 4_800_000) == [.cpu], "250 ms for 10 s, 100 ms for 1 s")
        #expect(watch.due(at: 4_900_000) == [.memory, .cpu])
        _ = watch.take(Measurement(time: 5_100_000), dueAt: 5_100_000, at: noon)
        #expect(watch.due == 6_000_000)
        _ = watch.take(Measurement(time: 5_950_000), dueAt: 5_950_000, at: noon)
        #expect(watch.due == 7_000_000)
        // The machine slept: what was missed is not made up for.
        _ = watch.take(Measurement(time: 100_000_000), dueAt: 100_000_000, at: noon)
        #expect(watch.due == 101_000_000)
    }

    @Test(arguments: [
        (ConditionSettings.Quantity.memory, Reason.Kind.memoryLimit), (.cpu, .cpuLimit), (.pressure, .memoryPressure),
    ])
    func `a stop for a condition is told as such, with or without the samples`(
        quantity: ConditionSettings.Quantity, kind: Reason.Kind
    ) {
        var seen = observation(.emptied, held: false, exit: .signaled(signal: 15, coreDumped: false))
        seen.stop = StopRequest(cause: quantity.cause, uid: 0)
        let alone = Verdict.judge(seen, settings: sampleRun().settings)
        #expect(alone.state == .failed && alone.reason.kind == kind)
        #expect(alone.reason.text.hasPrefix("\(quantity.setting)= was exceeded; fafd was restarted"))
        let verdict = ConditionVerdict(
            quantity: quantity, above: 100, times: .init(least: 1, of: 1), action: .restart, samples: [200], at: noon)
        seen.conditions = [verdict]
        #expect(
            Verdict.judge(seen, settings: sampleRun().settings).reason.text
                == "\(verdict.text) (ended by SIGTERM)")
    }
}
