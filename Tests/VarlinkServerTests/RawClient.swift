import Glibc
import LinuxSystem
import Varlink

/// A client that sends what it is told, right or wrong.
struct RawClient: ~Copyable {
    let socket: OwnedDescriptor
    private var frames = FrameSplitter(limit: 64 << 20)

    init(_ path: String) throws { socket = try UnixSocket.connect(path: path) }

    func send(_ text: String) throws { try socket.writeAll(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws { try socket.writeAll(bytes) }

    func sendCall(_ method: String, _ parameters: String = "{}", flags: String = "") throws {
        try send("{\"method\":\"io.faf.Test.\(method)\",\"parameters\":\(parameters)\(flags)}\0")
    }

    func endOutput() { shutdown(socket.rawValue, Int32(SHUT_WR)) }

    /// The next reply; `nil` when the server has closed the connection or says nothing for that long.
    mutating func reply(within milliseconds: Int32 = 10_000) throws -> Reply? {
        while true {
            let decoded: Result<Reply, MessageError>? = try frames.next { bytes in
                do throws(MessageError) { return .success(try Reply(decoding: bytes)) } catch { return .failure(error) }
            }
            if let decoded { return try decoded.get() }
            guard try socket.waitUntilReadable(milliseconds: milliseconds) else { return nil }
            guard let bytes = try? socket.read(maximum: 65536), !bytes.isEmpty else { return nil }
            frames.append(bytes)
        }
    }

    /// The server has closed the connection, after whatever it had to say.
    mutating func isClosed(within milliseconds: Int32 = 10_000) throws -> Bool {
        while try socket.waitUntilReadable(milliseconds: milliseconds) {
            guard let bytes = try? socket.read(maximum: 65536), !bytes.isEmpty else { return true }
        }
        return false
    }
}
