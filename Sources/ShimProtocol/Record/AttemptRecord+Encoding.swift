internal import CRecord
internal import TaskModel

extension AttemptRecord {
    /// The bytes as a shim would have written them: for tests, which fabricate what a crash left behind.
    ///
    /// - Parameter major: another version's number.
    public func encoded(major: UInt32 = recordMajorVersion) -> [UInt8] {
        var writer = SlotWriter()
        var head = faf_record_head()
        head.magic = FAF_RECORD_MAGIC
        head.major = major
        head.minor = FAF_RECORD_MINOR
        head.invocation_high = observation.invocation.high
        head.invocation_low = observation.invocation.low
        head.boot_high = observation.boot.high
        head.boot_low = observation.boot.low
        head.run = observation.run.rawValue
        head.attempt = UInt32(truncatingIfNeeded: observation.number)
        head.uid = uid
        head.kill_signal = UInt32(killSignal)
        head.type = (kind == .notify ? FAF_TYPE_NOTIFY : FAF_TYPE_SIMPLE).rawValue
        head.realtime_us = UInt64(clamping: madeAt.microseconds)
        writer.write(.head, rawBytes(head))
        writePhases(&writer)
        writeStops(&writer)
        writeClocks(&writer)
        writeWords(&writer)
        writer.write(.cgroup, Array((cgroup ?? "").utf8.prefix(Int(FAF_CGROUP_MAX))))
        writer.write(.origin, origin)
        return writer.bytes
    }

    private func writePhases(_ writer: inout SlotWriter) {
        let phase = observation.phase
        if phase >= .passed { writer.write(.passed, rawBytes(faf_record_passed())) }
        var neverStarted = false
        if case .notStarted? = observation.exit { neverStarted = true }
        if phase >= .started && !neverStarted {
            var started = faf_record_started()
            started.main_pid = observation.mainPID ?? 0
            started.realtime_us = microseconds(observation.startedAt)
            writer.write(.started, rawBytes(started))
        }
        if phase >= .exited {
            var exited = faf_record_exited()
            switch observation.exit {
            case .exited(let code)?: (exited.kind, exited.status) = (FAF_EXIT_CODE.rawValue, Int32(code))
            case .signaled(let signal, let coreDumped)?:
                exited.kind = (coreDumped ? FAF_EXIT_CORE : FAF_EXIT_SIGNAL).rawValue
                exited.status = Int32(signal)
            case .notStarted(let step, let errno)?:
                exited.kind = FAF_EXIT_NOT_STARTED.rawValue
                exited.step = (0..<64).first { stepName($0) == step } ?? 0
                exited.error = errno
            case .unknown?, nil: exited.kind = FAF_EXIT_UNKNOWN.rawValue
            }
            exited.realtime_us = microseconds(observation.exitedAt)
            exited.user_us = observation.usage?.userMicroseconds ?? 0
            exited.system_us = observation.usage?.systemMicroseconds ?? 0
            exited.max_resident_bytes = observation.usage?.maxResidentBytes ?? 0
            writer.write(.exited, rawBytes(exited))
        }
        if phase >= .emptied {
            if let counters = observation.usage?.counters { writer.write(.counters, rawBytes(counters.slot)) }
            var emptied = faf_record_emptied()
            emptied.realtime_us = microseconds(observation.endedAt)
            emptied.boottime_us = observation.endedAtBoottime ?? 0
            emptied.memory_peak_bytes = observation.usage?.memoryPeakBytes ?? UInt64.max
            emptied.cgroup_us = observation.usage?.cgroupMicroseconds ?? UInt64.max
            if endError != 0 { emptied.flags = FAF_EMPTIED_NOT_DURABLE.rawValue }
            emptied.end_error = endError
            writer.write(.emptied, rawBytes(emptied))
        }
    }

    private func writeStops(_ writer: inout SlotWriter) {
        for (slot, request) in [(RecordSlot.stop, observation.stop), (.signal, observation.lastSignal)] {
            guard let request else { continue }
            var stop = faf_record_stop()
            stop.cause = UInt32(request.cause.rawValue)
            stop.signal = UInt32(request.signal)
            stop.whom = UInt32(request.whom.rawValue)
            stop.uid = request.uid
            if slot == .stop {
                stop.realtime_us = microseconds(observation.stopBegan)
                if observation.wasKilled {
                    stop.kill_sent = (observation.stopDeadline == nil ? FAF_KILL_SENT : FAF_KILL_FINAL_SENT).rawValue
                }
            }
            stop.deadline_boottime_us = slot == .stop ? observation.stopDeadline ?? UInt64.max : UInt64.max
            writer.write(slot, rawBytes(stop))
        }
        if let rest = observation.restStop {
            var stop = faf_record_stop()
            stop.cause = UInt32(rest.request.cause.rawValue)
            stop.signal = UInt32(rest.request.signal)
            stop.whom = UInt32(rest.request.whom.rawValue)
            stop.uid = rest.request.uid
            stop.realtime_us = microseconds(rest.since)
            stop.deadline_boottime_us = UInt64.max
            if rest.wasKilled { stop.kill_sent = FAF_KILL_SENT.rawValue }
            writer.write(.rest, rawBytes(stop))
        }
        if let request = observation.askedToEnd {
            let asked = faf_record_asked(
                cause: UInt32(request.cause.rawValue), uid: request.uid, realtime_us: 0, boottime_us: 0)
            writer.write(.asked, rawBytes(asked))
        }
    }

    private func writeClocks(_ writer: inout SlotWriter) {
        var clocks = faf_record_clocks()
        if let since = observation.clocks.frozenSince {
            clocks.flags |= FAF_CLOCKS_FROZEN.rawValue
            clocks.frozen_realtime_us = microseconds(since)
        }
        clocks.frozen_by = observation.clocks.frozenBy ?? UInt32.max
        if let since = observation.clocks.silentSince {
            clocks.flags |= FAF_CLOCKS_SILENT.rawValue
            clocks.silent_realtime_us = microseconds(since)
        }
        clocks.limit_boottime_us =
            observation.clocks.limitAt.map { microseconds($0) - microseconds(observation.startedAt) } ?? UInt64.max
        if clocks.flags != 0 || observation.clocks.limitAt != nil { writer.write(.clocks, rawBytes(clocks)) }
    }

    private func writeWords(_ writer: inout SlotWriter) {
        var said = faf_record_said()
        func set(_ flag: faf_said_flag, _ on: Bool) { if on { said.flags |= flag.rawValue } }
        set(FAF_SAID_READY, observation.isReady)
        set(FAF_SAID_STOPPING, observation.saysStopping)
        set(FAF_SAID_ERRNO, observation.saidErrno != nil)
        set(FAF_SAID_EXIT_STATUS, observation.saidExitStatus != nil)
        said.error = observation.saidErrno ?? 0
        said.exit_status = observation.saidExitStatus ?? 0
        if said.flags != 0 { writer.write(.said, rawBytes(said)) }
        if let progress = observation.progress {
            writer.write(.progress, rawBytes(faf_record_progress(done: progress.done, total: progress.total)))
        }
        if let status = observation.status { writer.write(.status, Array(status.utf8.prefix(Int(FAF_TEXT_MAX)))) }
        if let text = observation.retryAfterText {
            writer.write(.retryAfter, Array(text.utf8.prefix(Int(FAF_RETRY_AFTER_MAX))))
        }
        if let result = observation.resultText { writer.write(.result, Array(result.utf8.prefix(Int(FAF_TEXT_MAX)))) }
    }

    private func microseconds(_ time: Timestamp?) -> UInt64 { UInt64(clamping: time?.microseconds ?? 0) }
}

/// The version that this code reads and writes.
public let recordMajorVersion: UInt32 = FAF_RECORD_MAJOR
