internal import LinuxSystem

/// Has journald take in all that was sent to it before, as `journalctl --sync` does.
enum JournalSync {
    private static let timeout: Int32 = 2000

    /// Waits for the answer; without journald, or without the right to ask, nothing is waited for.
    static func ask(_ path: String) {
        guard let socket = try? UnixSocket.connect(path: path) else { return }
        let call = Array(#"{"method":"io.systemd.Journal.Synchronize","parameters":{}}"#.utf8) + [0]
        guard (try? socket.writeAll(call)) != nil else { return }
        while (try? socket.waitUntilReadable(milliseconds: timeout)) == true {
            guard let bytes = try? socket.read(maximum: 4096), !bytes.isEmpty, !bytes.contains(0) else { return }
        }
    }
}
