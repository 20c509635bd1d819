internal import CRecord

extension AttemptRecord {
    /// So many bytes of a record hold all that `digest` is made of.
    public static let digestedLength = Int(FAF_AT_STATUS_A)

    /// Changes whenever a record says something that decides about its run, and not when nothing is new but its task's
    /// status, progress or result. `nil`: too short.
    ///
    /// Made of the checksums in the slots' headers, none of which is checked.
    public static func digest(of bytes: [UInt8]) -> UInt32? {
        guard bytes.count >= digestedLength else { return nil }
        var digest: UInt32 = 0
        for offset in digestedSlots {
            guard let slot = load(faf_slot.self, from: bytes[...], at: offset) else { return nil }
            digest = (digest &* 0x0100_0193) ^ slot.crc
        }
        return digest
    }

    /// Whether the attempt's end stands there, unchecked: nothing of it is written any more.
    public static func isOver(_ bytes: [UInt8]) -> Bool {
        load(faf_slot.self, from: bytes[...], at: Int(FAF_AT_EMPTIED)).map { $0.sequence > 0 } ?? false
    }

    private static let digestedSlots = RecordSlot.allCases
        .filter { ![.status, .result, .progress, .origin].contains($0) }
        .flatMap { SlotLayout.of($0).offsets }
}
