internal import CRecord

/// Where a slot lies in the file, and how much fits.
struct SlotLayout {
    let tag: UInt32
    /// One offset, or two for slots that change.
    let offsets: [Int]
    /// The largest payload: what lies between this copy and whatever comes next.
    let capacity: Int

    static let headerLength = MemoryLayout<faf_slot>.size
    /// Every record holds at least the header of its last slot.
    static let shortestRecord = Int(FAF_AT_ORIGIN) + headerLength

    private init(_ tag: faf_slot_tag, _ offsets: [Int32], until end: Int32) {
        self.tag = tag.rawValue
        self.offsets = offsets.map(Int.init)
        let last = offsets.last ?? end
        let gap = offsets.count == 2 ? min(offsets[1] - offsets[0], end - last) : end - last
        capacity = Int(gap) - SlotLayout.headerLength
    }

    static func of(_ slot: RecordSlot) -> SlotLayout {
        switch slot {
        case .head: SlotLayout(FAF_SLOT_HEAD, [FAF_AT_HEAD], until: FAF_AT_PASSED)
        case .passed: SlotLayout(FAF_SLOT_PASSED, [FAF_AT_PASSED], until: FAF_AT_STARTED)
        case .started: SlotLayout(FAF_SLOT_STARTED, [FAF_AT_STARTED], until: FAF_AT_EXITED)
        case .exited: SlotLayout(FAF_SLOT_EXITED, [FAF_AT_EXITED], until: FAF_AT_EMPTIED)
        case .emptied: SlotLayout(FAF_SLOT_EMPTIED, [FAF_AT_EMPTIED], until: FAF_AT_STOP_A)
        case .stop: SlotLayout(FAF_SLOT_STOP, [FAF_AT_STOP_A, FAF_AT_STOP_B], until: FAF_AT_SIGNAL_A)
        case .signal: SlotLayout(FAF_SLOT_SIGNAL, [FAF_AT_SIGNAL_A, FAF_AT_SIGNAL_B], until: FAF_AT_SAID_A)
        case .said: SlotLayout(FAF_SLOT_SAID, [FAF_AT_SAID_A, FAF_AT_SAID_B], until: FAF_AT_PROGRESS_A)
        case .progress: SlotLayout(FAF_SLOT_PROGRESS, [FAF_AT_PROGRESS_A, FAF_AT_PROGRESS_B], until: FAF_AT_REST_A)
        case .cgroup: SlotLayout(FAF_SLOT_CGROUP, [FAF_AT_CGROUP], until: FAF_AT_REST_B)
        case .rest: SlotLayout(FAF_SLOT_REST, [FAF_AT_REST_A, FAF_AT_REST_B], until: FAF_AT_COUNTERS)
        case .counters: SlotLayout(FAF_SLOT_COUNTERS, [FAF_AT_COUNTERS], until: FAF_AT_COUNTERS + 208)
        case .retryAfter:
            SlotLayout(FAF_SLOT_RETRY_AFTER, [FAF_AT_RETRY_AFTER_A, FAF_AT_RETRY_AFTER_B], until: FAF_AT_ASKED)
        case .asked: SlotLayout(FAF_SLOT_ASKED, [FAF_AT_ASKED], until: FAF_AT_CLOCKS_A)
        case .clocks: SlotLayout(FAF_SLOT_CLOCKS, [FAF_AT_CLOCKS_A, FAF_AT_CLOCKS_B], until: FAF_AT_STATUS_A)
        case .status: SlotLayout(FAF_SLOT_STATUS, [FAF_AT_STATUS_A, FAF_AT_STATUS_B], until: FAF_AT_RESULT_A)
        case .result: SlotLayout(FAF_SLOT_RESULT, [FAF_AT_RESULT_A, FAF_AT_RESULT_B], until: FAF_AT_ORIGIN)
        case .origin:
            SlotLayout(
                FAF_SLOT_ORIGIN, [FAF_AT_ORIGIN], until: FAF_AT_ORIGIN + Int32(headerLength) + Int32(FAF_SPEC_MAX))
        }
    }
}

/// Reads slots of a record's bytes. Nothing here traps, whatever the bytes are.
struct SlotReader {
    let bytes: [UInt8]

    /// The payload of the valid copy with the highest sequence; `nil`: never written.
    func payload(of slot: RecordSlot) throws(RecordError) -> ArraySlice<UInt8>? {
        let layout = SlotLayout.of(slot)
        var newest: (sequence: UInt64, payload: ArraySlice<UInt8>)?
        var isDamaged = false
        for offset in layout.offsets {
            switch copy(at: offset, layout) {
            case .absent: break
            case .damaged: isDamaged = true
            case .valid(let sequence, let payload):
                if sequence > newest?.sequence ?? 0 { newest = (sequence, payload) }
            }
        }
        if newest == nil && isDamaged { throw .damaged(slot) }
        return newest?.payload
    }

    /// The payload as a C struct; a newer minor version may have put more behind it.
    func value<Value: BitwiseCopyable>(of slot: RecordSlot, as type: Value.Type) throws(RecordError) -> Value? {
        guard let payload = try payload(of: slot) else { return nil }
        guard let value = load(type, from: payload) else { throw .damaged(slot) }
        return value
    }

    private enum Copy {
        case absent
        case damaged
        case valid(sequence: UInt64, payload: ArraySlice<UInt8>)
    }

    private func copy(at offset: Int, _ layout: SlotLayout) -> Copy {
        guard offset + SlotLayout.headerLength <= bytes.count else { return .damaged }
        guard var header = load(faf_slot.self, from: bytes[...], at: offset) else { return .damaged }
        if header.isBlank { return .absent }
        guard header.tag == layout.tag, header.sequence > 0 else { return .damaged }
        let start = offset + SlotLayout.headerLength
        guard let length = Int(exactly: header.length), length <= layout.capacity, length <= bytes.count - start else {
            return .damaged
        }
        let payload = bytes[start..<start + length]
        let crc = header.crc
        header.crc = 0
        guard crc32(payload, from: crc32(of: header)) == crc else { return .damaged }
        return .valid(sequence: header.sequence, payload: payload)
    }
}

/// Writes slots as a shim does: for tests that fabricate records.
struct SlotWriter {
    var bytes = [UInt8](repeating: 0, count: Int(FAF_AT_ORIGIN))

    /// Writes copy `copy` of a slot.
    mutating func write(_ slot: RecordSlot, _ payload: [UInt8], sequence: UInt64 = 1, copy: Int = 0) {
        let layout = SlotLayout.of(slot)
        var header = faf_slot(
            tag: layout.tag, length: UInt32(truncatingIfNeeded: payload.count), sequence: sequence, crc: 0, reserved: 0)
        header.crc = crc32(payload[...], from: crc32(rawBytes(header)[...]))
        let whole = rawBytes(header) + payload
        let offset = layout.offsets[copy % layout.offsets.count]
        if bytes.count < offset + whole.count {
            bytes += [UInt8](repeating: 0, count: offset + whole.count - bytes.count)
        }
        bytes.replaceSubrange(offset..<offset + whole.count, with: whole)
    }
}

extension faf_slot {
    /// As a hole in the file reads.
    fileprivate var isBlank: Bool { tag == 0 && length == 0 && sequence == 0 && crc == 0 && reserved == 0 }
}
