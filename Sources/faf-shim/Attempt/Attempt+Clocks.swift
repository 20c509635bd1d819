import CLinux
import CRecord

/// What the clocks need to know beside the time.
extension Attempt {
    mutating func applyClocks(_ message: NotifyMessage) {
        let now = faf_boottime()
        if message.status != nil || message.result != nil || message.progress != nil { stop.clocks.heard(at: now) }
        if let span = message.timeoutExtension {
            stop.extend(by: span, at: now)
            _ = extensions.wants(at: now)
        }
        switch message.watchdog {
        case .ping?: stop.clocks.pinged(at: now)
        case .trigger?: perform(stop.triggered(at: now))
        case nil: break
        }
        if let span = message.watchdogSpan { stop.clocks.setWatchdog(span, at: now) }
    }

    /// What is due now.
    mutating func tick() {
        let now = faf_boottime()
        if stop.clocks.wantsLook(at: now) { stop.clocks.looked(output: written(), at: now) }
        perform(stop.tick(at: now))
        writeClocks()
        if extensions.isDue(at: now) { extensions.wrote(at: now) }
    }

    /// Output goes past the shim; how much of it there is, the kernel tells of each process.
    func written() -> UInt64? {
        let sum = cgroup >= 0 ? faf_cgroup_written(cgroup) : faf_descendants_written()
        return sum == UInt64.max ? nil : sum
    }

    // MARK: Freezing

    mutating func freeze(by uid: UInt32) {
        guard cgroup >= 0, stop.stop == nil else { return }
        frozenBy = uid
        _ = faf_freeze(cgroup, 1)
    }

    func thaw() {
        if cgroup >= 0 { _ = faf_freeze(cgroup, 0) }
    }

    /// Whoever froze it: `faf freeze`, an operator by hand, or systemd with all that is above.
    mutating func readEvents() {
        guard events >= 0 else { return }
        let state = faf_is_frozen(events)
        // Its processes were moved away: whoever would wait for its changes would be woken for ever.
        if state < 0 { watchesEvents = false }
        guard (state == 1) != isFrozen else { return }
        isFrozen = state == 1
        if isFrozen {
            stop.clocks.froze()
        } else {
            stop.clocks.thawed(at: faf_boottime())
            frozenBy = UInt32.max
        }
        writeClocks()
    }

    // MARK: Record

    /// EXTEND_TIMEOUT_USEC= alone is written at most as often as a status.
    var mustWait: Bool { extensions.isWaiting && !extensions.isDue(at: faf_boottime()) }

    mutating func writeClocks() {
        var slot = recordedClocks
        slot.flags = isFrozen ? FAF_CLOCKS_FROZEN.rawValue : 0
        slot.frozen_by = isFrozen ? frozenBy : UInt32.max
        let silentSince = stop.clocks.silentSince
        if silentSince != nil { slot.flags |= FAF_CLOCKS_SILENT.rawValue }
        // With a stop its own time counts.
        if stop.stop == nil && !mainHasEnded { slot.limit_boottime_us = stop.clocks.limit }
        let isLimitNew = slot.limit_boottime_us != recordedClocks.limit_boottime_us && !mustWait
        guard slot.flags != recordedClocks.flags || isLimitNew else { return }
        var realtime: UInt64 = 0
        var boottime: UInt64 = 0
        faf_now(&realtime, &boottime)
        if slot.flags & ~recordedClocks.flags & FAF_CLOCKS_FROZEN.rawValue != 0 { slot.frozen_realtime_us = realtime }
        if let silentSince { slot.silent_realtime_us = realtime &- (boottime &- silentSince) }
        recordedClocks = slot
        record.clocks(slot)
    }
}
