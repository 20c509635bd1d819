import LinuxSystem

/// The supervisor as a service itself (sd_notify(3)).
enum ServiceManager {
    /// Meant for this process alone: a unit's PassEnvironment= finds none of them.
    private static let variables: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
    ]

    /// Does nothing where no service manager listens.
    static func notify(_ message: String) {
        guard let path = OwnProcess.environment["NOTIFY_SOCKET"], !path.isEmpty else { return }
        guard let socket = try? UnixSocket.connect(path: path, kind: .datagram) else { return }
        _ = try? socket.send(Array(message.utf8))
    }

    /// Says that the configuration is read again; `READY=1` says that it has been.
    static func notifyReloading() {
        // The time tells the answer to one reload from that to another (systemd 253 and later ask for it).
        notify("RELOADING=1\nMONOTONIC_USEC=\(Clocks.monotonic)")
    }

    /// How often the service manager wants to hear of a process that is well; `nil`: it does not.
    static func watchdogInterval(environment: [String: String]) -> Duration? {
        guard let text = environment["WATCHDOG_USEC"], let microseconds = Int64(text), microseconds > 0 else {
            return nil
        }
        if let pid = environment["WATCHDOG_PID"], pid != String(OwnProcess.pid) { return nil }
        return .microseconds(microseconds)
    }

    static func withoutVariables(_ environment: [String: String]) -> [String: String] {
        environment.filter { !variables.contains($0.key) }
    }
}
