internal import CLinux

/// Sockets that a service manager listens on and hands over at exec (sd_listen_fds(3)): callers wait there while the
/// service is not running.
public enum SocketActivation {
    /// A listening AF_UNIX socket, and where it listens.
    public struct Listener: ~Copyable {
        public let path: String
        var socket: OwnedDescriptor

        /// The socket alone, to be served.
        public consuming func descriptor() -> OwnedDescriptor { socket }
    }

    /// More than one socket, or what is no listening AF_UNIX stream socket.
    public struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    private static let firstDescriptor: Int32 = 3

    /// Takes the one socket over. `nil`: this process was not started through a socket. Call it once; nobody
    /// else may close descriptor 3 before.
    public static func take(environment: [String: String] = OwnProcess.environment) throws(Refusal) -> Listener? {
        // LISTEN_PID: a child of whoever was activated inherits the variables, but not the sockets.
        guard let pid = environment["LISTEN_PID"].flatMap({ Int32($0) }), pid == OwnProcess.pid,
            let text = environment["LISTEN_FDS"], text != "0"
        else { return nil }
        guard text == "1" else {
            throw Refusal(description: "the service manager hands over \(text) sockets instead of one")
        }
        var path = [UInt8](repeating: 0, count: UnixSocket.maximumPathLength + 1)
        let length = path.withUnsafeMutableBytes { bytes in
            fafd_inherited_listener(
                firstDescriptor, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard length > 0 else {
            throw Refusal(
                description: "what the service manager hands over is no listening AF_UNIX stream socket with a path: "
                    + SystemError.text(of: Int32(-length)))
        }
        return Listener(
            path: String(decoding: path.prefix(Int(length)), as: UTF8.self),
            socket: OwnedDescriptor(owning: firstDescriptor))
    }
}
