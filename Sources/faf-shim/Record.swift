import CLinux
import CRecord

/// The live record: the one file that the shim keeps open, and locked, for life.
struct Record {
    let fd: Int32
    private var stopSequence: UInt64 = 0
    private var restSequence: UInt64 = 0
    private var signalSequence: UInt64 = 0
    private var saidSequence: UInt64 = 0
    private var progressSequence: UInt64 = 0
    private var statusSequence: UInt64 = 0
    private var resultSequence: UInt64 = 0
    private var clocksSequence: UInt64 = 0
    private var retryAfterSequence: UInt64 = 0
    private var isAsked = false

    init(fd: Int32) { self.fd = fd }

    /// The slot's header for this payload, checksum included.
    static func slot(_ tag: faf_slot_tag, _ sequence: UInt64, _ payload: UnsafeRawBufferPointer) -> faf_slot {
        var slot = faf_slot(
            tag: tag.rawValue, length: UInt32(payload.count), sequence: sequence, crc: 0, reserved: 0)
        let crc = faf_crc32(0, &slot, MemoryLayout<faf_slot>.size)
        slot.crc = faf_crc32(crc, payload.baseAddress, payload.count)
        return slot
    }

    /// What all attempts write lies in so many bytes.
    static var pageSize: Int { Int(FAF_AT_STATUS_A) }

    /// The first bytes; zeros behind the end of the file. False: it cannot be read.
    func read(to page: UnsafeMutableRawPointer) -> Bool {
        page.initializeMemory(as: UInt8.self, repeating: 0, count: Record.pageSize)
        return faf_read_at(fd, page, Record.pageSize, 0) > 0
    }

    /// A slot that is written once, in a copy of the first bytes.
    static func put<Value: BitwiseCopyable>(
        _ tag: faf_slot_tag, _ offset: Int32, _ value: Value, in page: UnsafeMutableRawPointer
    ) {
        withUnsafeBytes(of: value) { payload in
            let place = page + Int(offset)
            place.storeBytes(of: slot(tag, 1, payload), as: faf_slot.self)
            if let source = payload.baseAddress {
                (place + MemoryLayout<faf_slot>.size).copyMemory(from: source, byteCount: payload.count)
            }
        }
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

    // Slots that change: two copies, written in turn. A full tmpfs cannot stop those in the first page, which the head
    // has taken; of the texts the last one that had room stays.

    mutating func stop(_ value: faf_record_stop) {
        withUnsafeBytes(of: value) { rewrite(FAF_SLOT_STOP, FAF_AT_STOP_A, FAF_AT_STOP_B, &stopSequence, $0) }
    }

    mutating func rest(_ value: faf_record_stop) {
        withUnsafeBytes(of: value) { rewrite(FAF_SLOT_REST, FAF_AT_REST_A, FAF_AT_REST_B, &restSequence, $0) }
    }

    mutating func signal(_ value: faf_record_stop) {
        withUnsafeBytes(of: value) { rewrite(FAF_SLOT_SIGNAL, FAF_AT_SIGNAL_A, FAF_AT_SIGNAL_B, &signalSequence, $0) }
    }

    mutating func said(_ value: faf_record_said) {
        withUnsafeBytes(of: value) { rewrite(FAF_SLOT_SAID, FAF_AT_SAID_A, FAF_AT_SAID_B, &saidSequence, $0) }
    }

    mutating func progress(_ value: faf_record_progress) {
        withUnsafeBytes(of: value) {
            rewrite(FAF_SLOT_PROGRESS, FAF_AT_PROGRESS_A, FAF_AT_PROGRESS_B, &progressSequence, $0)
        }
    }

    mutating func clocks(_ value: faf_record_clocks) {
        withUnsafeBytes(of: value) { rewrite(FAF_SLOT_CLOCKS, FAF_AT_CLOCKS_A, FAF_AT_CLOCKS_B, &clocksSequence, $0) }
    }

    mutating func retryAfter(_ text: UnsafeRawBufferPointer) {
        rewrite(FAF_SLOT_RETRY_AFTER, FAF_AT_RETRY_AFTER_A, FAF_AT_RETRY_AFTER_B, &retryAfterSequence, text)
    }

    /// The first time counts.
    mutating func asked(_ value: faf_record_asked) {
        if !isAsked { isAsked = write(FAF_SLOT_ASKED, at: FAF_AT_ASKED, value: value) == 0 }
    }

    mutating func status(_ text: UnsafeRawBufferPointer) {
        rewrite(FAF_SLOT_STATUS, FAF_AT_STATUS_A, FAF_AT_STATUS_B, &statusSequence, text)
    }

    mutating func result(_ text: UnsafeRawBufferPointer) {
        rewrite(FAF_SLOT_RESULT, FAF_AT_RESULT_A, FAF_AT_RESULT_B, &resultSequence, text)
    }

    private func rewrite(
        _ tag: faf_slot_tag, _ a: Int32, _ b: Int32, _ sequence: inout UInt64, _ payload: UnsafeRawBufferPointer
    ) {
        let next = sequence + 1
        // After a failure the next one goes to the same copy: the other one is still whole.
        if write(tag, at: next % 2 == 1 ? a : b, sequence: next, payload) == 0 { sequence = next }
    }
}
