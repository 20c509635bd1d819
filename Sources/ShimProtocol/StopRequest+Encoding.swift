internal import CRecord
public import TaskModel

extension StopRequest {
    /// SIGRTMIN + this carries a stop request to a shim.
    public static let signalOffset = Int32(FAF_STOP_SIGNAL_OFFSET)

    /// The 64-bit value of the signal.
    public var encoded: UInt64 { faf_stop_encode(cause.rawValue, signal, whom.rawValue, uid) }

    /// In place of a request: the end of this attempt is in the store, its shim need not keep it.
    public static func stored(_ id: InvocationID) -> UInt64 {
        faf_stop_encode(UInt8(FAF_STOP_STORED.rawValue), 0, 0, UInt32(truncatingIfNeeded: id.low))
    }

    /// `nil`: a cause or target that this version does not know.
    public init?(encoded value: UInt64) {
        self.init(
            cause: UInt32(UInt8(truncatingIfNeeded: value)), signal: UInt32(UInt8(truncatingIfNeeded: value >> 8)),
            whom: UInt32(UInt8(truncatingIfNeeded: value >> 16)), uid: UInt32(truncatingIfNeeded: value >> 32))
    }

    init?(cause: UInt32, signal: UInt32, whom: UInt32, uid: UInt32) {
        guard let cause = UInt8(exactly: cause).flatMap(Cause.init(rawValue:)), let signal = UInt8(exactly: signal),
            let whom = UInt8(exactly: whom).flatMap(Whom.init(rawValue:))
        else { return nil }
        self.init(cause: cause, signal: signal, whom: whom, uid: uid)
    }
}
