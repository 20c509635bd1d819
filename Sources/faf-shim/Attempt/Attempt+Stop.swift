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
        keepWish(cause, uid)
        switch cause {
        case FAF_STOP_SIGNAL.rawValue: sendOne(signal, whom, uid)
        case FAF_STOP_KILL.rawValue, FAF_STOP_SHUTDOWN.rawValue, FAF_STOP_RESTART.rawValue,
            FAF_STOP_MEMORY.rawValue, FAF_STOP_CPU.rawValue, FAF_STOP_PRESSURE.rawValue:
            guard let cause = StopSequence.Cause(rawValue: cause) else { return }
            perform(stop.requested(cause, signal: signal, uid: uid, at: faf_boottime()))
        case FAF_STOP_FREEZE.rawValue: freeze(by: uid)
        case FAF_STOP_THAW.rawValue: thaw()
        default: break  // the others are the shim's own to give
        }
    }

    /// Kept even if it comes too late to change anything: such a run is not tried again.
    mutating func keepWish(_ cause: UInt32, _ uid: UInt32) {
        guard cause == FAF_STOP_KILL.rawValue || cause == FAF_STOP_SHUTDOWN.rawValue else { return }
        var asked = faf_record_asked(cause: cause, uid: uid, realtime_us: 0, boottime_us: 0)
        faf_now(&asked.realtime_us, &asked.boottime_us)
        record.asked(asked)
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
        switch action {
        case .nothing: break
        case .signal(let signal, let reach, let thenHangup):
            send(Int32(signal), reach, resume: true)
            // Later, not with it: of two that wait the one with the lower number comes first (signal(7)).
            if thenHangup { send(Int32(StopPolicy.sighup), reach, resume: false) }
        case .kill(.all): killAll()
        case .kill(.main): signalMain(Attempt.sigkill, resume: false)
        }
    }

    private func send(_ signal: Int32, _ reach: StopSequence.Reach, resume: Bool) {
        switch reach {
        case .main:
            // A task that is to end must be able to, whoever froze it.
            if resume { thaw() }
            signalMain(signal, resume: resume)
        case .all where signal == Attempt.sigkill: killAll()
        case .all: signalAll(signal, resume: resume)
        }
    }

    private mutating func writeStop() {
        guard let now = stop.stop, now != recordedStop else { return }
        if var recorded = recordedStop, recorded.isForRest == now.isForRest {
            recorded.deadline = now.deadline
            if recorded == now, mustWait { return }
        } else {
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
        slot.kill_sent = now.final.rawValue
        if now.isForRest { record.rest(slot) } else { record.stop(slot) }
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
