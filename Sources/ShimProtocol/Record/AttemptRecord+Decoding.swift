internal import CRecord
internal import TaskModel

extension AttemptRecord {
    /// Bytes at the beginning of a record that tell everything but its origin: the rest is as long as the run's row.
    public static var lengthWithoutOrigin: Int { SlotLayout.shortestRecord }

    /// Reads the bytes of a record or an end.
    ///
    /// A slot that is being written while the file is read looks damaged: with a living shim, read again before believing
    /// it.
    ///
    /// - Parameter withOrigin: without it, `origin` stays empty, and `lengthWithoutOrigin` bytes are enough.
    public init(decoding bytes: [UInt8], withOrigin: Bool = true) throws(RecordError) {
        let reader = SlotReader(bytes: bytes)
        if bytes.count < Int(FAF_AT_PASSED) { throw .truncated(bytes: bytes.count) }
        guard let head = try reader.value(of: .head, as: faf_record_head.self), head.magic == FAF_RECORD_MAGIC else {
            throw .damaged(.head)
        }
        if head.major > FAF_RECORD_MAJOR { throw .newer(major: head.major) }
        guard head.major == FAF_RECORD_MAJOR, let killSignal = UInt8(exactly: head.kill_signal) else {
            throw .damaged(.head)
        }
        if bytes.count < SlotLayout.shortestRecord { throw .truncated(bytes: bytes.count) }

        var observation = AttemptObservation(
            run: RunID(rawValue: head.run), number: Int(head.attempt),
            invocation: InvocationID(high: head.invocation_high, low: head.invocation_low),
            boot: BootID(high: head.boot_high, low: head.boot_low), phase: .gate)
        var endError: Int32 = 0
        try AttemptRecord.readPhases(reader, into: &observation, endError: &endError)
        try AttemptRecord.readStops(reader, into: &observation)
        try AttemptRecord.readClocks(reader, into: &observation)
        try AttemptRecord.readWords(reader, into: &observation)

        let cgroup = try reader.payload(of: .cgroup).map { String(decoding: $0, as: UTF8.self) }
        observation.hasCgroup = cgroup?.isEmpty == false
        self.init(
            observation: observation, origin: withOrigin ? Array(try reader.payload(of: .origin) ?? []) : [],
            cgroup: cgroup?.isEmpty == true ? nil : cgroup, uid: head.uid, killSignal: killSignal,
            kind: head.type == FAF_TYPE_NOTIFY.rawValue ? .notify : .simple, madeAt: time(head.realtime_us),
            endError: endError)
    }

    private static func readPhases(
        _ reader: SlotReader, into observation: inout AttemptObservation, endError: inout Int32
    ) throws(RecordError) {
        if try reader.value(of: .passed, as: faf_record_passed.self) != nil { observation.phase = .passed }
        if let started = try reader.value(of: .started, as: faf_record_started.self) {
            observation.phase = .started
            observation.mainPID = started.main_pid
            observation.startedAt = time(started.realtime_us)
        }
        if let exited = try reader.value(of: .exited, as: faf_record_exited.self) {
            observation.phase = .exited
            observation.exit = try exit(exited)
            observation.exitedAt = time(exited.realtime_us)
            observation.usage = Usage(
                userMicroseconds: exited.user_us, systemMicroseconds: exited.system_us,
                maxResidentBytes: exited.max_resident_bytes)
        }
        if let emptied = try reader.value(of: .emptied, as: faf_record_emptied.self) {
            observation.phase = .emptied
            observation.endedAt = time(emptied.realtime_us)
            if emptied.boottime_us > 0 { observation.endedAtBoottime = emptied.boottime_us }
            if emptied.memory_peak_bytes != UInt64.max {
                observation.usage?.memoryPeakBytes = emptied.memory_peak_bytes
            }
            if emptied.cgroup_us != UInt64.max { observation.usage?.cgroupMicroseconds = emptied.cgroup_us }
            if let counters = try reader.value(of: .counters, as: faf_record_counters.self) {
                observation.usage?.counters = CgroupCounters(counters)
            }
            if emptied.flags & FAF_EMPTIED_NOT_DURABLE.rawValue != 0 { endError = emptied.end_error }
        }
    }

    private static func exit(_ exited: faf_record_exited) throws(RecordError) -> ProcessExit {
        switch exited.kind {
        case FAF_EXIT_CODE.rawValue:
            guard let code = UInt8(exactly: exited.status) else { throw .damaged(.exited) }
            return .exited(code: code)
        case FAF_EXIT_SIGNAL.rawValue, FAF_EXIT_CORE.rawValue:
            guard let signal = UInt8(exactly: exited.status) else { throw .damaged(.exited) }
            return .signaled(signal: signal, coreDumped: exited.kind == FAF_EXIT_CORE.rawValue)
        case FAF_EXIT_NOT_STARTED.rawValue: return .notStarted(step: stepName(exited.step), errno: exited.error)
        case FAF_EXIT_UNKNOWN.rawValue: return .unknown
        default: throw .damaged(.exited)  // not made up: an unknown kind is no status
        }
    }

    private static func readStops(
        _ reader: SlotReader, into observation: inout AttemptObservation
    ) throws(RecordError) {
        let exited = try reader.value(of: .exited, as: faf_record_exited.self)
        for slot in [RecordSlot.stop, .rest, .signal] {
            guard let written = try reader.value(of: slot, as: faf_record_stop.self) else { continue }
            guard
                let request = StopRequest(
                    cause: written.cause, signal: written.signal, whom: written.whom, uid: written.uid)
            else { throw .damaged(slot) }
            if slot == .signal {
                observation.lastSignal = request
                continue
            }
            var finalSignalAt: Timestamp?
            if written.kill_sent != FAF_KILL_SENT.rawValue, written.deadline_boottime_us != UInt64.max {
                observation.stopDeadline = written.deadline_boottime_us
                if observation.phase < .emptied {
                    finalSignalAt = time(written.deadline_boottime_us, by: written.realtime_us, written.boottime_us)
                }
            }
            // What was begun for what the main process had left has not ended that process.
            if slot == .rest || exited.map({ written.boottime_us > $0.boottime_us }) ?? false {
                observation.restStop = AttemptStop(
                    request: request, since: time(written.realtime_us), finalSignalAt: finalSignalAt,
                    wasKilled: written.kill_sent != 0)
            } else {
                observation.stop = request
                observation.stopBegan = time(written.realtime_us)
                observation.finalSignalAt = finalSignalAt
                observation.wasKilled = written.kill_sent != 0
            }
        }
        if let asked = try reader.value(of: .asked, as: faf_record_asked.self) {
            guard let request = StopRequest(cause: asked.cause, signal: 0, whom: FAF_WHOM_ALL.rawValue, uid: asked.uid)
            else { throw .damaged(.asked) }
            observation.askedToEnd = request
        }
    }

    private static func readClocks(
        _ reader: SlotReader, into observation: inout AttemptObservation
    ) throws(RecordError) {
        // Of what is over nothing of this holds any more.
        guard let clocks = try reader.value(of: .clocks, as: faf_record_clocks.self), observation.phase < .emptied
        else { return }
        if clocks.flags & FAF_CLOCKS_FROZEN.rawValue != 0 {
            observation.clocks.frozenSince = time(clocks.frozen_realtime_us)
            observation.clocks.frozenBy = clocks.frozen_by == UInt32.max ? nil : clocks.frozen_by
        }
        if clocks.flags & FAF_CLOCKS_SILENT.rawValue != 0 {
            observation.clocks.silentSince = time(clocks.silent_realtime_us)
        }
        if clocks.limit_boottime_us != UInt64.max, observation.stop == nil, observation.phase < .exited {
            if let started = try reader.value(of: .started, as: faf_record_started.self) {
                observation.clocks.limitAt = time(
                    clocks.limit_boottime_us, by: started.realtime_us, started.boottime_us)
            }
        }
    }

    private static func readWords(
        _ reader: SlotReader, into observation: inout AttemptObservation
    ) throws(RecordError) {
        if let said = try reader.value(of: .said, as: faf_record_said.self) {
            func has(_ flag: faf_said_flag) -> Bool { said.flags & flag.rawValue != 0 }
            observation.isReady = has(FAF_SAID_READY)
            observation.saysStopping = has(FAF_SAID_STOPPING)
            if has(FAF_SAID_ERRNO) { observation.saidErrno = said.error }
            if has(FAF_SAID_EXIT_STATUS) { observation.saidExitStatus = said.exit_status }
            if has(FAF_SAID_MAIN_PID) { observation.mainPID = said.main_pid }
        }
        if let progress = try reader.value(of: .progress, as: faf_record_progress.self) {
            observation.progress = Progress(done: progress.done, total: progress.total)
        }
        // `STATUS=` without a text clears it (sd_notify(3)).
        if let status = try reader.payload(of: .status), !status.isEmpty {
            observation.status = String(decoding: status, as: UTF8.self)
        }
        observation.retryAfterText = try reader.payload(of: .retryAfter).map { String(decoding: $0, as: UTF8.self) }
        observation.resultText = try reader.payload(of: .result).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension CgroupCounters {
    fileprivate init(_ slot: faf_record_counters) {
        func known(_ value: UInt64) -> UInt64? { value == UInt64.max ? nil : value }
        self.init()
        userMicroseconds = known(slot.cpu_user_us)
        systemMicroseconds = known(slot.cpu_system_us)
        throttledMicroseconds = known(slot.cpu_throttled_us)
        memoryMaxBytes = known(slot.memory_max_bytes)
        oomKills = known(slot.oom_kills)
        oomGroupKills = known(slot.oom_group_kills)
        ownOutOfMemory = known(slot.oom_own)
        readBytes = known(slot.io_read_bytes)
        writtenBytes = known(slot.io_written_bytes)
        reads = known(slot.io_reads)
        writes = known(slot.io_writes)
        refusedForks = known(slot.refused_forks)
    }

    var slot: faf_record_counters {
        faf_record_counters(
            cpu_user_us: userMicroseconds ?? .max, cpu_system_us: systemMicroseconds ?? .max,
            cpu_throttled_us: throttledMicroseconds ?? .max, memory_max_bytes: memoryMaxBytes ?? .max,
            oom_kills: oomKills ?? .max, oom_group_kills: oomGroupKills ?? .max, oom_own: ownOutOfMemory ?? .max,
            io_read_bytes: readBytes ?? .max, io_written_bytes: writtenBytes ?? .max, io_reads: reads ?? .max,
            io_writes: writes ?? .max, refused_forks: refusedForks ?? .max)
    }
}

private func time(_ microseconds: UInt64) -> Timestamp { Timestamp(microseconds: Int64(clamping: microseconds)) }

/// A time of CLOCK_BOOTTIME, given one moment by both clocks.
private func time(_ boottime: UInt64, by realtime: UInt64, _ sameBoottime: UInt64) -> Timestamp {
    let distance = Int64(clamping: boottime).subtractingReportingOverflow(Int64(clamping: sameBoottime)).partialValue
    let (sum, overflows) = Int64(clamping: realtime).addingReportingOverflow(distance)
    return Timestamp(microseconds: overflows ? .max : sum)
}
