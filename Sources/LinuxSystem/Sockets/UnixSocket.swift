internal import CLinux

/// AF_UNIX sockets (unix(7)), close-on-exec from birth.
public enum UnixSocket {
    public enum Kind: Int32, Sendable {
        case stream = 1
        case datagram = 2
        /// SOCK_SEQPACKET: connected, in order, and messages keep their borders.
        case packet = 5
    }

    /// The longest path in bytes that an address holds.
    public static let maximumPathLength = Int(FAFD_SOCKET_PATH_MAX)

    /// Binds, gives the socket file `mode` and listens; non-blocking. The path must not exist.
    public static func listen(path: String, mode: UInt32, backlog: Int32 = 512) throws(SystemError) -> OwnedDescriptor {
        try refuseNUL(path, "bind")
        return OwnedDescriptor(owning: try check(fafd_listen(path, mode, backlog), "bind", path))
    }

    /// Connects, waiting where the listener's queue is full.
    public static func connect(path: String, kind: Kind = .stream) throws(SystemError) -> OwnedDescriptor {
        try refuseNUL(path, "connect")
        return OwnedDescriptor(owning: try check(fafd_connect(path, kind.rawValue), "connect", path))
    }

    /// Takes the next connection (accept4(2)).
    public static func accept(on listener: borrowing OwnedDescriptor, nonblocking: Bool) throws(SystemError)
        -> OwnedDescriptor
    {
        OwnedDescriptor(owning: try check(fafd_accept(listener.rawValue, nonblocking ? 1 : 0), "accept4"))
    }

    /// Two ends that are connected to each other.
    public struct Pair: ~Copyable {
        public var first: OwnedDescriptor
        public var second: OwnedDescriptor

        init(first: consuming OwnedDescriptor, second: consuming OwnedDescriptor) {
            self.first = first
            self.second = second
        }

        /// Closes the second end.
        public consuming func keepFirst() -> OwnedDescriptor { first }

        /// Both ends to different owners.
        public consuming func split(
            _ body: (consuming OwnedDescriptor, consuming OwnedDescriptor) -> Void
        ) { body(first, second) }
    }

    /// socketpair(2).
    public static func pair(_ kind: Kind) throws(SystemError) -> Pair {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { bytes in
            fafd_socket_pair(kind.rawValue, bytes.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        try check(result, "socketpair")
        return Pair(first: OwnedDescriptor(owning: ends.0), second: OwnedDescriptor(owning: ends.1))
    }
}
