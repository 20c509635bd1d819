import CLinux
import CRecord

extension Attempt {
    /// Until nothing of the attempt is left. What was said is read before who has ended is looked at.
    mutating func watch() {
        readEvents()
        while true {
            readNotifications()
            readRequests()
            reapChildren()
            watchForeignMain()
            tick()
            if limiter.isDue(at: faf_boottime()) { flushTexts() }
            if mainHasEnded {
                if isEmpty() { return }
                writeExited()
            }
            if isKilledWithoutCgroup { _ = faf_signal_descendants(Attempt.sigkill, 0) }
            armTimer()
            var set = faf_wait_set(
                signals: signals, notify: notify, timer: timer, events: watchesEvents ? events : -1,
                main: main != script && !mainHasEnded ? mainDescriptor : -1, memory: memory)
            let ready = faf_wait(&set)
            if ready & Int32(FAF_WAIT_TIMER.rawValue) != 0 { timerFired() }
            if ready & Int32(FAF_WAIT_EVENTS.rawValue) != 0 { readEvents() }
            if ready & Int32(FAF_WAIT_MEMORY.rawValue) != 0 { watchMemory() }
        }
    }

    /// Counts only once the script's process was cloned: a cgroup is empty before, too.
    private func isEmpty() -> Bool {
        events >= 0 ? faf_is_populated(events) == 0 : faf_ended_child() == -FAF_ECHILD
    }

    /// Without a cgroup a fork can race with the kill: it is repeated until no child is left.
    private var isKilledWithoutCgroup: Bool { cgroup < 0 && stop.stop?.wasKilled == true }

    mutating func timerFired() {
        faf_timer_read(timer)
        armed = 0
    }

    mutating func armTimer() {
        var next = min(stop.deadline, min(limiter.deadline, extensions.deadline))
        if isKilledWithoutCgroup { next = min(next, faf_boottime() + 100_000) }
        if next == armed { return }
        armed = next
        _ = faf_timer_set(timer, next == StopSequence.never ? 0 : max(next, 1))
    }

    /// As subreaper the shim inherits whatever of the attempt loses its parent.
    private mutating func reapChildren() {
        while true {
            let pid = faf_ended_child()
            if pid <= 0 { return }
            // What it said last lies in the socket by now; once it is reaped nobody can tell where it belonged.
            readNotifications()
            var ended = faf_ended()
            if faf_reap(pid, &ended) <= 0 { return }
            if pid == main && !mainHasEnded { mainEnded(ended) }
        }
    }

    /// A process that MAINPID= named and that is not the shim's child: that it has ended is all that can be known.
    private mutating func watchForeignMain() {
        guard main != script, !mainHasEnded, faf_has_ended(mainDescriptor) == 1 else { return }
        readNotifications()
        var ended = faf_ended()
        if faf_reap(main, &ended) > 0 {
            mainEnded(ended)
        } else {
            var exited = faf_record_exited()
            exited.kind = FAF_EXIT_UNKNOWN.rawValue
            mainEnded(&exited)
        }
    }

    private mutating func mainEnded(_ ended: faf_ended) {
        var exited = faf_record_exited()
        switch Int32(ended.code) {
        case 1: exited.kind = FAF_EXIT_CODE.rawValue  // CLD_EXITED
        case 3: exited.kind = FAF_EXIT_CORE.rawValue  // CLD_DUMPED
        default: exited.kind = FAF_EXIT_SIGNAL.rawValue
        }
        exited.status = ended.status
        exited.user_us = ended.user_us
        exited.system_us = ended.system_us
        exited.max_resident_bytes = ended.max_resident_bytes
        exited.minor_faults = ended.minor_faults
        exited.major_faults = ended.major_faults
        exited.blocks_in = ended.blocks_in
        exited.blocks_out = ended.blocks_out
        exited.voluntary_switches = ended.voluntary_switches
        exited.involuntary_switches = ended.involuntary_switches
        mainEnded(&exited)
    }

    private mutating func mainEnded(_ exited: inout faf_record_exited) {
        mainHasEnded = true
        flushTexts()
        faf_now(&exited.realtime_us, &exited.boottime_us)
        self.exited = exited
        if isEmpty() { return perform(stop.mainEnded(leavesOthers: false, at: exited.boottime_us)) }
        writeExited()
        perform(stop.mainEnded(leavesOthers: countProcesses() > 0, at: exited.boottime_us))
    }

    /// Once.
    private mutating func writeExited() {
        if let exited { _ = record.write(FAF_SLOT_EXITED, at: FAF_AT_EXITED, value: exited) }
        exited = nil
    }
}
