internal import CLinux

/// What recvmsg(2) brought.
public struct ReceivedMessage: ~Copyable {
    /// Empty when the peer has closed its end.
    public let bytes: [UInt8]
    /// The descriptors that came along; whoever does not take them has them closed.
    public var descriptors: Descriptors
    /// The message, or its descriptors, did not fit and were cut.
    public let isTruncated: Bool

    /// Owns what came along.
    public struct Descriptors: ~Copyable {
        private var numbers: [Int32]

        init(_ numbers: [Int32]) { self.numbers = numbers }

        deinit { for number in numbers { _ = fafd_close(number) } }

        public var count: Int { numbers.count }

        /// The next one, in the order in which they were sent.
        public mutating func next() -> OwnedDescriptor? {
            numbers.isEmpty ? nil : OwnedDescriptor(owning: numbers.removeFirst())
        }
    }
}

extension OwnedDescriptor {
    /// Sends one message, with descriptors that stay the caller's (sendmsg(2), MSG_NOSIGNAL). Returns how much was taken.
    @discardableResult
    public func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) -> Int {
        let sent = bytes.withUnsafeBytes { buffer in
            fafd_send(rawValue, buffer.baseAddress, buffer.count, descriptors, descriptors.count)
        }
        return Int(try check(sent, "sendmsg"))
    }

    /// Receives one message with at most `maximumDescriptors`; uninvited ones are closed at once (dbus CVE-2020-12049).
    public func receive(maximum: Int, maximumDescriptors: Int = 0) throws(SystemError) -> ReceivedMessage {
        var numbers = [Int32](repeating: -1, count: maximumDescriptors)
        var count = 0
        var truncated: Int32 = 0
        var result: Int64 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: maximum) { buffer, filled in
            result = fafd_receive(
                rawValue, buffer.baseAddress, buffer.count, &numbers, maximumDescriptors, &count, &truncated)
            filled = Int(max(result, 0))
        }
        try check(result, "recvmsg")
        return ReceivedMessage(
            bytes: bytes, descriptors: .init(Array(numbers.prefix(count))), isTruncated: truncated != 0)
    }
}
