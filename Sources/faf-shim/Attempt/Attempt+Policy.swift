import CLinux
import CRecord

/// How the attempt is stopped, and when, as the specification has it.
extension Attempt {
    static func times(_ specification: Specification) -> faf_spec_times {
        if let times = specification.first(FAF_SPEC_TIMES) { return times.loadUnaligned(as: faf_spec_times.self) }
        return faf_spec_times(
            runtime_max_us: StopSequence.never, runtime_extra_us: 0, watchdog_us: 0, silence_us: 0,
            timeout_abort_us: specification.core.timeout_stop_us, silence_action: FAF_SILENCE_STOP.rawValue,
            reserved: 0)
    }

    static func limits(_ specification: Specification, _ times: faf_spec_times) -> Clocks.Limits {
        let (runtime, overflows) = times.runtime_max_us.addingReportingOverflow(faf_random(times.runtime_extra_us))
        let needsReady = specification.core.type == FAF_TYPE_NOTIFY.rawValue
        return Clocks.Limits(
            needsReady: needsReady, start: specification.core.timeout_start_us,
            runtime: overflows ? StopSequence.never : runtime, watchdog: times.watchdog_us, silence: times.silence_us)
    }

    static func policy(_ specification: Specification, _ times: faf_spec_times) -> StopPolicy {
        let core = specification.core
        var policy = StopPolicy(
            mode: StopPolicy.Mode(rawValue: core.kill_mode) ?? .controlGroup, timeoutStop: core.timeout_stop_us,
            timeoutAbort: times.timeout_abort_us, killSignal: core.kill_signal,
            sendsKill: specification.has(FAF_SPEC_SEND_SIGKILL),
            silenceAction: StopPolicy.SilenceAction(rawValue: times.silence_action) ?? .stop)
        if let signals = specification.first(FAF_SPEC_SIGNALS)?.loadUnaligned(as: faf_spec_signals.self) {
            policy.finalSignal = signals.final_kill
            policy.watchdogSignal = signals.watchdog
            if signals.restart > 0 { policy.restartSignal = signals.restart }
            policy.sendsHangup = signals.send_hangup != 0
        }
        return policy
    }
}
