/// A record or end that cannot be believed.
public enum RecordError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Shorter than any record is.
    case truncated(bytes: Int)
    /// This slot does not have its checksum, its tag or a meaning.
    case damaged(RecordSlot)
    /// Written by a shim of a later version: it may be shown and killed, never judged or deleted.
    case newer(major: UInt32)

    public var description: String {
        switch self {
        case .truncated(let bytes): "it has only \(bytes) bytes"
        case .damaged(let slot): "its slot \"\(slot)\" is damaged"
        case .newer(let major): "it was written by a newer faf-shim (format \(major))"
        }
    }
}

/// A part of a record that is written and checksummed by itself.
public enum RecordSlot: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case head, passed, started, exited, emptied, stop, signal, said, progress, cgroup, counters, clocks, status, result,
        origin
    case asked
    case retryAfter = "retry-after"
    /// The stop of what the main process had left.
    case rest

    public var description: String { rawValue }
}
