import LinuxSystem

/// The supervisor as a service itself (sd_notify(3)).
enum ServiceManager {
    /// Does nothing where no service manager listens.
    static func notify(_ message: String) {
        guard let path = OwnProcess.environment["NOTIFY_SOCKET"], !path.isEmpty else { return }
        guard let socket = try? UnixSocket.connect(path: path, kind: .datagram) else { return }
        _ = try? socket.send(Array(message.utf8))
    }
}
