import CLinux
import CRecord

/// The live record: the one file that the shim keeps open, and locked, for life.
struct Record {
    let fd: Int32
    private var stopSequence: UInt64 = 0
    private var signalSequence: UInt64 = 0
    private var saidSequence: UInt64 = 0
    private var progressSequence: UInt64 = 0
    private var statusSequence: UInt64 = 0
    private var resultSequence: UInt64 = 0

    init(fd: Int32) { self.fd = fd }

    /// The slot's header for this payload, checksum included.
    static func slot(_ tag: faf_slot_tag, _ sequence: UInt64, _ payload: UnsafeRawBufferPointer) -> faf_slot {
        var slot = faf_slot(
            tag: tag.rawValue, length: UInt32(payload.count), sequence: sequence, crc: 0, reserved: 0)
        let crc = faf_crc32(0, &slot, MemoryLayout<faf_slot>.size)
        slot.crc = faf_crc32(crc, payload.baseAddress, payload.count)
        return slot
    }

    /// 0 or -errno.
    func write(
        _ tag: faf_slot_tag, at offset: Int32, sequence: UInt64 = 1, _ payload: UnsafeRawBufferPointer
    ) -> Int32 {
        var slot = Record.slot(tag, sequence, payload)
        return faf_write_at(
            fd, &slot, MemoryLayout<faf_slot>.size, payload.baseAddress, payload.count, UInt64(offset))
    }

    func write<Value: BitwiseCopyable>(
        _ tag: faf_slot_tag, at offset: Int32, sequence: UInt64 = 1, value: Value
    ) -> Int32 {
        withUnsafeBytes(of: value) { write(tag, at: offset, sequence: sequence, $0) }
    }

    // Slots that change: two copies, written in turn. A full tmpfs cannot stop these (all lie in the first page, which
    // the head has taken), but for the texts: then the last status that had room stays.

    mutating func stop(_ value: faf_record_stop) {
        stopSequence += 1
        _ = write(FAF_SLOT_STOP, at: turn(stopSequence, FAF_AT_STOP_A, FAF_AT_STOP_B), sequence: stopSequence, value: value)
    }

    mutating func signal(_ value: faf_record_stop) {
        signalSequence += 1
        _ = write(FAF_SLOT_SIGNAL, at: turn(signalSequence, FAF_AT_SIGNAL_A, FAF_AT_SIGNAL_B), sequence: signalSequence, value: value)
    }

    mutating func said(_ value: faf_record_said) {
        saidSequence += 1
        _ = write(FAF_SLOT_SAID, at: turn(saidSequence, FAF_AT_SAID_A, FAF_AT_SAID_B), sequence: saidSequence, value: value)
    }

    mutating func progress(_ value: faf_record_progress) {
        progressSequence += 1
        let offset = turn(progressSequence, FAF_AT_PROGRESS_A, FAF_AT_PROGRESS_B)
        _ = write(FAF_SLOT_PROGRESS, at: offset, sequence: progressSequence, value: value)
    }

    mutating func status(_ text: UnsafeRawBufferPointer) {
        statusSequence += 1
        _ = write(FAF_SLOT_STATUS, at: turn(statusSequence, FAF_AT_STATUS_A, FAF_AT_STATUS_B), sequence: statusSequence, text)
    }

    mutating func result(_ text: UnsafeRawBufferPointer) {
        resultSequence += 1
        _ = write(FAF_SLOT_RESULT, at: turn(resultSequence, FAF_AT_RESULT_A, FAF_AT_RESULT_B), sequence: resultSequence, text)
    }

    private func turn(_ sequence: UInt64, _ a: Int32, _ b: Int32) -> Int32 { sequence % 2 == 1 ? a : b }
}
