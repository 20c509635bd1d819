import Glibc
import LinuxSystem
import Notify

/// The notify socket of a task that is run by hand: without one `systemd-notify` fails, and a script with `set -e` ends.
struct NotifyListener: ~Copyable {
    let path: String
    let descriptor: OwnedDescriptor

    init(path: String) throws(Failure) {
        descriptor = try Self.bind(path)
        self.path = path
    }

    private static func bind(_ path: String) throws(Failure) -> OwnedDescriptor {
        let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard made >= 0 else { throw failure("socket", errno) }
        let descriptor = OwnedDescriptor(owning: made)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard bytes.count < room.count else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw failure("bind", ENAMETOOLONG) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw failure("bind", errno) }
        return descriptor
    }

    deinit { unlink(path) }

    /// Shows what has come so far. A barrier's descriptor is closed as it comes, which is the answer to it.
    func showAll(_ terminal: Terminal) {
        while let message = try? descriptor.receive(maximum: NotifyMessage.sizeLimit + 1) {
            let bytes = message.bytes
            // Truncated, empty, or no message that anybody understands: skipped, as fafd does.
            let text: String? = bytes.withUnsafeBytes { buffer in
                guard let parsed = try? NotifyMessage(buffer) else { return nil }
                return Self.line(parsed, buffer, terminal)
            }
            if let text { Output.error("faf: \(text)\n") }
        }
    }

    private static func line(_ message: NotifyMessage, _ bytes: UnsafeRawBufferPointer, _ terminal: Terminal) -> String?
    {
        var parts: [String] = []
        if message.isReady { parts.append("ready") }
        if message.isStopping { parts.append("stopping") }
        if let progress = message.progress {
            parts.append(
                ProgressBar.text(
                    done: Int64(clamping: progress.done), total: Int64(clamping: progress.total), terminal: terminal))
        }
        for (name, range) in [("status", message.status), ("result", message.result)] {
            guard let range else { continue }
            parts.append("\(name): " + Escape.forTerminal(String(decoding: bytes[range], as: UTF8.self)))
        }
        return parts.isEmpty ? nil : parts.joined(separator: "  ")
    }

    private static func failure(_ call: String, _ code: Int32) -> Failure {
        Failure(
            .other, "cannot make the notify socket: \(call): \(String(cString: strerror(code)))",
            remedy: "set TMPDIR to a short path that you may write")
    }
}
