import CLinux
import CRecord

extension Attempt {
    static var sigkill: Int32 { 9 }

    /// Stop requests; those that came before the script ran have waited in the kernel's queue.
    mutating func readRequests() {
        var signal = faf_signal()
        while faf_read_signal(signals, &signal) == 0 {
            if signal.is_request != 0 { request(signal.value) }
        }
    }

    private mutating func request(_ value: UInt64) {
        let cause = UInt32(value & 0xFF)
        let signal = UInt32(value >> 8 & 0xFF)
        let whom = UInt32(value >> 16 & 0xFF)
        let uid = UInt32(value >> 32)
        guard signal <= 64 else { return }
        switch cause {
        case FAF_STOP_SIGNAL.rawValue: sendOne(signal, whom, uid)
        case FAF_STOP_KILL.rawValue: perform(stop.requested(.kill, signal: signal, uid: uid, at: faf_boottime()))
        case FAF_STOP_SHUTDOWN.rawValue:
            perform(stop.requested(.shutdown, signal: signal, uid: uid, at: faf_boottime()))
        default: break  // the others are the shim's own to give
        }
    }

    /// One signal, as `systemctl kill` sends it: no sequence follows.
    private mutating func sendOne(_ asked: UInt32, _ whom: UInt32, _ uid: UInt32) {
        let signal = asked == 0 ? core.kill_signal : asked
        var slot = faf_record_stop()
        slot.cause = FAF_STOP_SIGNAL.rawValue
        slot.signal = signal
        slot.whom = whom
        slot.uid = uid
        slot.deadline_boottime_us = StopSequence.never
        faf_now(&slot.realtime_us, &slot.boottime_us)
        record.signal(slot)
        if whom == FAF_WHOM_MAIN.rawValue {
            signalMain(Int32(signal), resume: false)
        } else if Int32(signal) == Attempt.sigkill {
            killAll()
        } else {
            signalAll(Int32(signal), resume: false)
        }
    }

    /// Writes what has become of the sequence, then does what it asks for.
    mutating func perform(_ action: StopSequence.Action) {
        writeStop()
        let signal = Int32(stop.stop?.signal ?? core.kill_signal)
        switch action {
        case .nothing: break
        case .signalAll: signalAll(signal, resume: true)
        case .signalMain: signalMain(signal, resume: true)
        case .killAll: killAll()
        case .killMain: signalMain(Attempt.sigkill, resume: false)
        }
    }

    private mutating func writeStop() {
        guard let now = stop.stop, now != recordedStop else { return }
        if recordedStop == nil {
            var boottime: UInt64 = 0
            faf_now(&stopRealtime, &boottime)
        }
        recordedStop = now
        var slot = faf_record_stop()
        slot.cause = now.cause.rawValue
        slot.signal = now.signal
        slot.whom = FAF_WHOM_ALL.rawValue
        slot.uid = now.uid
        slot.realtime_us = stopRealtime
        slot.boottime_us = now.begunAt
        slot.deadline_boottime_us = now.deadline
        slot.kill_sent = now.wasKilled ? 1 : 0
        record.stop(slot)
    }

    private func signalMain(_ signal: Int32, resume: Bool) {
        guard !mainHasEnded else { return }
        _ = faf_signal_process(mainDescriptor, signal)
        if resume { _ = faf_signal_process(mainDescriptor, 18) }  // SIGCONT
    }

    private func signalAll(_ signal: Int32, resume: Bool) {
        if cgroup >= 0 {
            _ = faf_signal_cgroup(cgroup, paths.cgroupName, cgroupNameLength, signal, resume ? 1 : 0)
        } else {
            _ = faf_signal_descendants(signal, resume ? 1 : 0)
        }
    }

    private func killAll() {
        if cgroup >= 0 {
            _ = faf_kill_cgroup(cgroup, paths.cgroupName, cgroupNameLength)
        } else {
            _ = faf_signal_descendants(Attempt.sigkill, 0)
        }
    }

    /// The living processes of the attempt.
    func countProcesses() -> Int32 {
        if cgroup >= 0 { return faf_signal_cgroup(cgroup, paths.cgroupName, cgroupNameLength, 0, 0) }
        return faf_signal_descendants(0, 0)
    }
}
