internal import Glibc

/// A connected stream socket: the system calls, each repeated after a signal, with a deadline.
struct UnixSocket: ~Copyable, Sendable {
    let descriptor: Int32

    /// `connect(2)`. Blocks while the other side's backlog is full, at most until `deadline`.
    init(path: String, deadline: Deadline) throws(ConnectError) {
        descriptor = try Self.connected(to: path, deadline: deadline)
    }

    /// One that is connected already; closed when the value goes away.
    init(taking descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Sends all bytes; throws `connectionClosedUnread` if nobody reads any more.
    func send(_ bytes: [UInt8], deadline: Deadline) throws(ClientError) {
        var sent = 0
        while sent < bytes.count {
            let result = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if result >= 0 {
                sent += result
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: try wait(for: Int16(POLLOUT), deadline: deadline)
            case EPIPE, ECONNRESET: throw .connectionClosedUnread
            case let code: throw .system(call: "send", errno: code)
            }
        }
    }

    /// Waits for bytes; empty at the end of the stream.
    func receive(deadline: Deadline) throws(ClientError) -> [UInt8] {
        while true {
            if deadline.remaining != nil { try wait(for: Int16(POLLIN), deadline: deadline) }
            var result = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
                result = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                count = max(result, 0)
            }
            if result >= 0 { return bytes }
            switch errno {
            case EINTR, EAGAIN: continue
            // The kernel says so only if the peer has left bytes unread, or never accepted the connection (unix(7),
            // unix_release_sock); all that it has sent comes first.
            case ECONNRESET: throw .connectionClosedUnread
            case let code: throw .system(call: "recv", errno: code)
            }
        }
    }

    // MARK: Connecting

    private static func connected(to path: String, deadline: Deadline) throws(ConnectError) -> Int32 {
        var address = try address(of: path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: errno, path: path) }
        do throws(ConnectError) {
            try connect(descriptor, to: &address, path: path, deadline: deadline)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func address(of path: String) throws(ConnectError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        // An empty path would be an unnamed or abstract address.
        guard !bytes.isEmpty else { throw .noSuchSocket(path: path) }
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            // One byte stays 0: the kernel does without, other programs that look at the address do not.
            guard bytes.count < room.count, !bytes.contains(0) else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw .pathTooLong(path: path) }
        return address
    }

    private static func connect(
        _ descriptor: Int32, to address: inout sockaddr_un, path: String, deadline: Deadline
    ) throws(ConnectError) {
        while true {
            if let remaining = deadline.remaining {
                guard remaining > .zero else { throw .timedOut(path: path) }
                // connect(2) on AF_UNIX waits for room in the backlog; this option, not poll(2), limits that.
                let (seconds, attoseconds) = remaining.components
                var limit = timeval(tv_sec: Int(seconds), tv_usec: max(Int(attoseconds / 1_000_000_000_000), 1))
                setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            }
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if result == 0 { return }
            switch errno {
            case EINTR: continue
            case EAGAIN: throw .timedOut(path: path)
            case ENOENT, ENOTDIR: throw .noSuchSocket(path: path)
            case ECONNREFUSED: throw .refused(path: path)
            case EACCES, EPERM: throw .permissionDenied(path: path)
            case let code: throw .system(call: "connect", errno: code, path: path)
            }
        }
    }

    // MARK: Waiting

    private func wait(for events: Int16, deadline: Deadline) throws(ClientError) {
        while true {
            var request = pollfd(fd: descriptor, events: events, revents: 0)
            let result = poll(&request, 1, deadline.milliseconds)
            if result > 0 { return }
            if result == 0 {
                if deadline.isOver { throw .timedOut }
                continue
            }
            guard errno == EINTR else { throw .system(call: "poll", errno: errno) }
        }
    }
}

/// A point in time to give up at, or never.
struct Deadline {
    private let instant: ContinuousClock.Instant?

    init(after timeout: Duration?) { instant = timeout.map { ContinuousClock.now + $0 } }

    /// `nil`: for ever.
    var remaining: Duration? { instant.map { $0 - ContinuousClock.now } }

    var isOver: Bool { remaining.map { $0 <= .zero } ?? false }

    /// For `poll(2)`: rounded up, so that waiting does not turn into asking again and again.
    var milliseconds: Int32 {
        guard let remaining else { return -1 }
        let (seconds, attoseconds) = remaining.components
        guard seconds < 1_000_000 else { return 1_000_000_000 }
        return max(0, Int32(seconds) * 1000 + Int32(attoseconds / 1_000_000_000_000_000) + 1)
    }
}
