import CRecord
import TaskModel
import Testing

@testable import ShimProtocol

struct AttemptRecordTests {
    @Test(arguments: examples)
    func `what is written is read`(record: AttemptRecord) throws {
        #expect(try AttemptRecord(decoding: record.encoded()) == record)
    }

    @Test func `slots lie where the header says`() {
        let bytes = everySlot
        let slots: [(Int32, faf_slot_tag)] = [
            (FAF_AT_HEAD, FAF_SLOT_HEAD), (FAF_AT_PASSED, FAF_SLOT_PASSED), (FAF_AT_STARTED, FAF_SLOT_STARTED),
            (FAF_AT_EXITED, FAF_SLOT_EXITED), (FAF_AT_EMPTIED, FAF_SLOT_EMPTIED), (FAF_AT_STOP_A, FAF_SLOT_STOP),
            (FAF_AT_SIGNAL_A, FAF_SLOT_SIGNAL), (FAF_AT_SAID_A, FAF_SLOT_SAID), (FAF_AT_PROGRESS_A, FAF_SLOT_PROGRESS),
            (FAF_AT_REST_A, FAF_SLOT_REST), (FAF_AT_CGROUP, FAF_SLOT_CGROUP), (FAF_AT_CLOCKS_A, FAF_SLOT_CLOCKS),
            (FAF_AT_ASKED, FAF_SLOT_ASKED), (FAF_AT_RETRY_AFTER_A, FAF_SLOT_RETRY_AFTER),
            (FAF_AT_STATUS_A, FAF_SLOT_STATUS), (FAF_AT_RESULT_A, FAF_SLOT_RESULT),
            (FAF_AT_ORIGIN, FAF_SLOT_ORIGIN),
        ]
        for (offset, tag) in slots { #expect(bytes[Int(offset)] == UInt8(tag.rawValue)) }
        #expect(Array(bytes[24..<32]) == Array("FAFRECRD".utf8))
    }

    @Test func `of two copies the newer counts, and a torn one does not`() throws {
        var writer = SlotWriter()
        writer.bytes = full.encoded()
        writer.write(.status, Array("second".utf8), sequence: 2, copy: 1)
        #expect(try AttemptRecord(decoding: writer.bytes).observation.status == "second")
        writer.write(.status, Array("third".utf8), sequence: 3, copy: 0)
        #expect(try AttemptRecord(decoding: writer.bytes).observation.status == "third")
        writer.bytes[Int(FAF_AT_STATUS_A) + SlotLayout.headerLength] ^= 1
        #expect(try AttemptRecord(decoding: writer.bytes).observation.status == "second")
        writer.bytes[Int(FAF_AT_STATUS_B) + SlotLayout.headerLength] ^= 1
        #expect(throws: RecordError.damaged(.status)) { _ = try AttemptRecord(decoding: writer.bytes) }
    }

    @Test func `what the kernel did not count is unknown, not 0`() throws {
        let read = try AttemptRecord(decoding: full.encoded()).observation.usage?.counters
        #expect(read?.oomKills == 8 && read?.ownOutOfMemory == 10)
        #expect(read?.systemMicroseconds == nil && read?.readBytes == nil && read?.throttledMicroseconds == nil)
    }

    @Test func `an empty status clears it, an empty result is one`() throws {
        var writer = SlotWriter()
        writer.bytes = full.encoded()
        writer.write(.status, [], sequence: 2, copy: 1)
        writer.write(.result, [], sequence: 2, copy: 1)
        let observation = try AttemptRecord(decoding: writer.bytes).observation
        #expect(observation.status == nil)
        #expect(observation.resultText == "")
    }

    @Test(arguments: [999, 1000, 1001])
    func `a stop counts if it came before the main process ended`(time: UInt64) throws {
        var writer = SlotWriter()
        var record = full
        record.observation.phase = .exited
        record.observation.endedAt = nil
        record.observation.restStop = nil
        writer.bytes = record.encoded()
        var exited = faf_record_exited()
        exited.kind = FAF_EXIT_CODE.rawValue
        exited.boottime_us = 1000
        writer.write(.exited, rawBytes(exited))
        var stop = faf_record_stop()
        stop.cause = FAF_STOP_KILL.rawValue
        stop.uid = 2001
        stop.whom = FAF_WHOM_ALL.rawValue
        stop.signal = 15
        stop.boottime_us = time
        stop.deadline_boottime_us = 5000
        writer.write(.stop, rawBytes(stop), sequence: 9, copy: 0)
        let observation = try AttemptRecord(decoding: writer.bytes).observation
        #expect((observation.stop?.uid == 2001) == (time <= 1000))
        #expect((observation.restStop?.request.uid == 2001) == (time > 1000))
        #expect(observation.stopDeadline == 5000)
    }

    @Test func `a cause of a newer shim is not made up`() {
        var writer = SlotWriter()
        writer.bytes = full.encoded()
        var stop = faf_record_stop()
        (stop.cause, stop.whom) = (99, FAF_WHOM_ALL.rawValue)
        writer.write(.stop, rawBytes(stop), sequence: 9)
        #expect(throws: RecordError.damaged(.stop)) { _ = try AttemptRecord(decoding: writer.bytes) }
    }

    @Test func `no content of a status becomes another field`() throws {
        var record = full
        let hostile = String(repeating: "\n EXITED=0\u{1}", count: 300)
        record.observation.status = hostile
        #expect(try AttemptRecord(decoding: record.encoded()) == record)
        record.observation.status = String(repeating: "x", count: Int(FAF_TEXT_MAX))
        #expect(try AttemptRecord(decoding: record.encoded()) == record)
    }

    @Test func `a later minor version may write longer and further slots`() throws {
        var writer = SlotWriter()
        writer.bytes = full.encoded()
        let layout = SlotLayout.of(.passed)
        writer.write(.passed, [UInt8](repeating: 1, count: layout.capacity))
        #expect(try AttemptRecord(decoding: writer.bytes) == full)
    }

    @Test func `a later major version is named, whatever follows`() {
        let bytes = full.encoded(major: 2)
        #expect(throws: RecordError.newer(major: 2)) { _ = try AttemptRecord(decoding: bytes) }
        #expect(throws: RecordError.newer(major: 2)) { _ = try AttemptRecord(decoding: Array(bytes.prefix(300))) }
    }

    @Test func `a short file is truncated`() {
        let bytes = full.encoded()
        for length in [0, 1, 100, 255, 256, 1000, 4096, Int(FAF_AT_ORIGIN) + 23] {
            #expect(throws: RecordError.truncated(bytes: length)) {
                _ = try AttemptRecord(decoding: Array(bytes.prefix(length)))
            }
        }
        #expect(throws: RecordError.damaged(.origin)) { _ = try AttemptRecord(decoding: bytes.dropLast()) }
    }

    @Test func `what a record tells without its origin needs neither its bytes nor its order`() throws {
        var bytes = Array(full.encoded().prefix(AttemptRecord.lengthWithoutOrigin))
        var expected = full
        expected.origin = []
        #expect(try AttemptRecord(decoding: bytes, withOrigin: false) == expected)
        bytes[bytes.count - 1] ^= 1
        #expect(try AttemptRecord(decoding: bytes, withOrigin: false) == expected)
        #expect(throws: RecordError.truncated(bytes: bytes.count - 1)) {
            _ = try AttemptRecord(decoding: bytes.dropLast(), withOrigin: false)
        }
    }

    @Test func `every damaged slot is named`() {
        for slot in RecordSlot.allCases {
            var bytes = everySlot
            bytes[SlotLayout.of(slot).offsets[0] + SlotLayout.headerLength] ^= 0x10
            #expect(throws: RecordError.damaged(slot)) { _ = try AttemptRecord(decoding: bytes) }
        }
    }

    @Test func `the digest changes with everything but a task's words`() throws {
        let before = try #require(AttemptRecord.digest(of: everySlot))
        for slot in RecordSlot.allCases {
            for copy in SlotLayout.of(slot).offsets.indices {
                var writer = SlotWriter()
                writer.bytes = everySlot
                writer.write(slot, [1, 2, 3], sequence: 9, copy: copy)
                let isWord = [.status, .progress, .result, .origin].contains(slot)
                #expect((AttemptRecord.digest(of: writer.bytes) == before) == isWord, "\(slot), copy \(copy)")
            }
        }
        #expect(AttemptRecord.digest(of: Array(everySlot.prefix(AttemptRecord.digestedLength))) == before)
        #expect(AttemptRecord.digest(of: Array(everySlot.prefix(AttemptRecord.digestedLength - 1))) == nil)
    }

    @Test func `an exit of an unknown kind is no exit code`() {
        var writer = SlotWriter()
        writer.bytes = full.encoded()
        var exited = faf_record_exited()
        exited.kind = 77
        writer.write(.exited, rawBytes(exited), sequence: 2)
        #expect(throws: RecordError.damaged(.exited)) { _ = try AttemptRecord(decoding: writer.bytes) }
        exited.kind = FAF_EXIT_CODE.rawValue
        exited.status = 256
        writer.write(.exited, rawBytes(exited), sequence: 3)
        #expect(throws: RecordError.damaged(.exited)) { _ = try AttemptRecord(decoding: writer.bytes) }
    }

    /// Each bit of the file is flipped, and each length tried: nothing traps, and a record either says the same or less
    /// (an older copy, a slot that seems unwritten), never something new.
    @Test func `no flipped bit and no length traps or makes up an end`() {
        var record = full
        record.origin = Array("the row".utf8)
        let bytes = record.encoded()
        var accepted = 0
        for index in bytes.indices {
            let isInSlot = bytes[max(0, index - 32)...min(bytes.count - 1, index + 32)].contains { $0 != 0 }
            if !isInSlot { continue }
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << UInt8(bit)
                guard let read = try? AttemptRecord(decoding: flipped) else { continue }
                accepted += 1
                #expect(read.observation.exit == record.observation.exit)
                #expect(read == record)
            }
        }
        #expect(accepted > 0)  // bytes between the slots mean nothing
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: RecordError.self) { _ = try AttemptRecord(decoding: Array(bytes.prefix(length))) }
        }
    }

    @Test func `garbage never traps`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let count = Int.random(in: 0...30000, using: &generator)
            var bytes = full.encoded()
            for _ in 0..<Int.random(in: 1...64, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = try? AttemptRecord(decoding: Array(bytes.prefix(count)))
            _ = GateReply(Array(bytes.prefix(count % 20)))
        }
    }
}

struct MessageTests {
    @Test func `a stop request carries cause, signal, whom and uid`() {
        let request = StopRequest(cause: .signal, signal: 10, whom: .main, uid: 4_000_000_000)
        #expect(request.encoded == UInt64(4_000_000_000) << 32 | 1 << 16 | 10 << 8 | 2)
        #expect(StopRequest(encoded: request.encoded) == request)
        #expect(StopRequest(encoded: 0) == nil)
        #expect(StopRequest(encoded: 0x03_00_01) == nil)
    }

    @Test func `a gate's reply is read only if it is one`() {
        let ready = faf_gate_reply(kind: 1, step: 0, error: 0, pid: 42)
        #expect(GateReply(rawBytes(ready)) == .ready(pid: 42))
        let failed = faf_gate_reply(kind: 2, step: 2, error: 17, pid: 42)
        #expect(GateReply(rawBytes(failed)) == .failed(step: "record", errno: 17))
        #expect(GateReply(rawBytes(faf_gate_reply(kind: 1, step: 0, error: 0, pid: 0))) == nil)
        #expect(GateReply(rawBytes(faf_gate_reply(kind: 3, step: 0, error: 0, pid: 1))) == nil)
        #expect(GateReply(Array(rawBytes(ready).dropLast())) == nil)
        #expect(
            GateReply(rawBytes(faf_gate_reply(kind: 2, step: 999, error: 0, pid: 0)))
                == .failed(step: "unknown", errno: 0))
    }
}

private let full: AttemptRecord = {
    var observation = AttemptObservation(
        run: RunID(rawValue: 17), number: 2, invocation: ID128(high: 1, low: 2), boot: ID128(high: 3, low: 4),
        phase: .emptied)
    observation.mainPID = 4711
    observation.isReady = true
    observation.saysStopping = true
    observation.status = "18 of 30 – ü"
    observation.progress = Progress(done: 18, total: 30)
    observation.resultText = "done"
    observation.saidErrno = 5
    observation.saidExitStatus = 3
    observation.stop = StopRequest(cause: .kill, whom: .all, uid: 2001)
    observation.restStop = AttemptStop(
        request: StopRequest(cause: .kill, signal: 15, uid: 2004), since: Timestamp(microseconds: 250),
        finalSignalAt: nil, wasKilled: true)
    observation.askedToEnd = StopRequest(cause: .shutdown, whom: .all, uid: 2003)
    observation.retryAfterText = "1min 30s"
    observation.endedAtBoottime = 299
    observation.lastSignal = StopRequest(cause: .signal, signal: 10, whom: .main, uid: 2002)
    observation.stopBegan = Timestamp(microseconds: 150)
    observation.wasKilled = true
    observation.exit = .signaled(signal: 15, coreDumped: false)
    observation.usage = Usage(
        userMicroseconds: 1, systemMicroseconds: 2, maxResidentBytes: 3, memoryPeakBytes: 4, cgroupMicroseconds: 5)
    var counters = CgroupCounters()
    counters.userMicroseconds = 6
    counters.memoryMaxBytes = 7
    counters.oomKills = 8
    counters.oomGroupKills = 9
    counters.ownOutOfMemory = 10
    counters.refusedForks = 11
    observation.usage?.counters = counters
    observation.startedAt = Timestamp(microseconds: 100)
    observation.exitedAt = Timestamp(microseconds: 200)
    observation.endedAt = Timestamp(microseconds: 300)
    return AttemptRecord(
        observation: observation, origin: [9, 8, 7], cgroup: "/sys/fs/cgroup/x/t/17.2", uid: 2001, killSignal: 2,
        kind: .notify, madeAt: Timestamp(microseconds: 50))
}()

/// The clocks, too, which an attempt that is over has none of.
private let everySlot: [UInt8] = {
    var writer = SlotWriter()
    writer.bytes = full.encoded()
    writer.write(.clocks, rawBytes(faf_record_clocks()))
    return writer.bytes
}()

private let examples: [AttemptRecord] = {
    var all = [full]
    func add(_ phase: AttemptObservation.Phase, _ change: (inout AttemptRecord) -> Void = { _ in }) {
        var record = AttemptRecord(
            observation: AttemptObservation(
                run: RunID(rawValue: 1), number: 1, invocation: .random(), boot: .random(), phase: phase))
        record.observation.hasCgroup = false
        if phase >= .started {
            record.observation.mainPID = 5
            record.observation.startedAt = Timestamp(microseconds: 1)
        }
        if phase >= .exited {
            record.observation.exit = .exited(code: 0)
            record.observation.exitedAt = Timestamp(microseconds: 2)
            record.observation.usage = Usage(userMicroseconds: 0, systemMicroseconds: 0, maxResidentBytes: 0)
        }
        if phase >= .emptied { record.observation.endedAt = Timestamp(microseconds: 3) }
        change(&record)
        all.append(record)
    }
    for phase in [AttemptObservation.Phase.gate, .passed, .started, .exited, .emptied] { add(phase) }
    for exit in [
        ProcessExit.exited(code: 255), .signaled(signal: 9, coreDumped: false), .signaled(signal: 6, coreDumped: true),
        .unknown,
    ] {
        add(.emptied) { $0.observation.exit = exit }
    }
    add(.started) {
        $0.observation.clocks.limitAt = Timestamp(microseconds: 5_000_000)
        $0.observation.clocks.frozenSince = Timestamp(microseconds: 7)
        $0.observation.clocks.frozenBy = 2001
    }
    add(.started) {
        $0.observation.clocks.frozenSince = Timestamp(microseconds: 7)
        $0.observation.clocks.silentSince = Timestamp(microseconds: 4)
    }
    // FinalKillSignal= was sent; SIGKILL follows.
    add(.started) {
        $0.observation.stop = StopRequest(cause: .watchdog, signal: 6, uid: 0)
        $0.observation.stopBegan = Timestamp(microseconds: 4)
        $0.observation.wasKilled = true
        $0.observation.stopDeadline = 9000
        $0.observation.finalSignalAt = Timestamp(microseconds: 9004)
    }
    // KillMode=process: the main process was killed, and what it had left by somebody else.
    add(.exited) {
        $0.observation.stop = StopRequest(cause: .kill, signal: 15, uid: 2001)
        $0.observation.stopBegan = Timestamp(microseconds: 4)
        $0.observation.restStop = AttemptStop(
            request: StopRequest(cause: .kill, signal: 15, uid: 2002), since: Timestamp(microseconds: 8),
            finalSignalAt: nil, wasKilled: true)
    }
    add(.emptied) {
        $0.observation.exit = .notStarted(step: "chdir", errno: 2)
        $0.observation.mainPID = nil
        $0.observation.startedAt = nil
    }
    add(.emptied) { $0.endError = 28 }
    return all
}()
