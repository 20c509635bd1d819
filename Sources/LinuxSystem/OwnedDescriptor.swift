internal import CLinux

/// A file descriptor that is closed when its owner goes: exactly one owner at a time, by the compiler's word.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number, for a call that borrows it. Whoever keeps it longer than the owner lives uses somebody else's file.
    public let rawValue: Int32

    /// Takes over a descriptor that nobody else will close.
    public init(owning rawValue: Int32) { self.rawValue = rawValue }

    deinit { _ = fafd_close(rawValue) }

    /// Gives up ownership: the caller closes it from now on.
    public consuming func release() -> Int32 {
        let value = rawValue
        discard self
        return value
    }

    /// Another descriptor of the same open file (F_DUPFD_CLOEXEC).
    public func duplicated() throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try check(fafd_duplicate(rawValue, 3), "dup"))
    }

    /// Reads what is there, at most `maximum` bytes; empty at the end (read(2)).
    public func read(maximum: Int) throws(SystemError) -> [UInt8] {
        var failure: Int64 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: maximum) { buffer, count in
            failure = fafd_read(rawValue, buffer.baseAddress, buffer.count)
            count = Int(max(failure, 0))
        }
        try check(failure, "read")
        return bytes
    }

    /// Reads to the end of the file; refuses with EFBIG what has more than `limit` bytes.
    public func readAll(limit: Int, path: String? = nil) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let part = try read(maximum: min(65536, limit - bytes.count + 1))
            if part.isEmpty { return bytes }
            bytes += part
            if bytes.count > limit { throw SystemError(call: "read", path: path, errno: ErrorNumber.tooLarge) }
        }
    }

    /// Writes all of it, however often the kernel takes only a part (write(2)).
    public func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(SystemError) in try writeAll(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Writes all of it, however often the kernel takes only a part (write(2)).
    public func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let written = try check(fafd_write(rawValue, part.baseAddress, part.count), "write")
            rest = rest.dropFirst(Int(written))
        }
    }

    /// fsync(2). After a failure nothing that was written may be believed to be on disk: never retry.
    public func sync() throws(SystemError) { try check(fafd_sync(rawValue), "fsync") }

    /// O_NONBLOCK on or off.
    public func setNonblocking(_ on: Bool) throws(SystemError) {
        try check(fafd_set_nonblocking(rawValue, on ? 1 : 0), "fcntl")
    }

    /// Waits until there is something to read or the peer has gone; false when the time is over (poll(2)).
    public func waitUntilReadable(milliseconds: Int32) throws(SystemError) -> Bool {
        try check(fafd_poll(rawValue, 1, milliseconds), "poll") != 0
    }
}
