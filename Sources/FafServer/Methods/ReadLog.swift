import FafAPI
import LinuxSystem
import TaskModel
import VarlinkServer

extension FafService {
    /// Bytes read at a time; a reply is not larger than what they decode to.
    private static let chunk = 64 * 1024
    /// How often a followed log is looked at: files tell nobody that they have grown.
    private static let followInterval = Duration.milliseconds(100)

    func readLog(
        _ request: Wire.ReadLog.Request, _ caller: PeerCredentials, _ reply: ReplyWriter
    ) async throws(VarlinkFailure) {
        if let lines = request.lines, lines < 0 { throw .invalidParameter("lines") }
        let follow = request.follow ?? false
        if follow, !reply.wantsMore { throw .expectedMore }
        let id = try await visibleRun(request.run, caller, to: "read the log of").id

        var reader = LineReader()
        var lines: [String] = []
        func flush(continues: Bool) async throws(VarlinkFailure) {
            try await reply.send(Wire.ReadLog.Reply(lines: lines).json, continues: continues)
            lines = []
        }
        while true {
            // Asked before the file is read, so that what was written before the end is read.
            let isOver = try await visibleRun(request.run, caller, to: "read the log of").state.isFinal
            while true {
                let bytes: [UInt8]
                do { bytes = try host.output(of: id, from: reader.offset, limit: Self.chunk) } catch {
                    throw Wire.Unavailable(message: "\(error.subject): \(error.message)", remedy: error.remedy).failure
                }
                if bytes.isEmpty { break }
                lines += reader.take(bytes)
                if let last = request.lines, !reader.isFollowing, lines.count > Int(clamping: last) {
                    lines.removeFirst(lines.count - Int(clamping: last))
                } else if reply.wantsMore, request.lines == nil || reader.isFollowing {
                    try await flush(continues: true)
                }
            }
            if !follow || isOver { break }
            if !lines.isEmpty { try await flush(continues: true) }
            reader.isFollowing = true
            do { try await Task.sleep(for: Self.followInterval) } catch { return }
        }
        if let rest = reader.finish() { lines.append(rest) }
        if let last = request.lines, !reader.isFollowing, lines.count > Int(clamping: last) {
            lines.removeFirst(lines.count - Int(clamping: last))
        }
        try await flush(continues: false)
    }
}

/// Cuts bytes into lines; what is not UTF-8 becomes U+FFFD.
private struct LineReader {
    /// Bytes taken so far.
    var offset: UInt64 = 0
    var isFollowing = false
    private var partial: [UInt8] = []

    /// A line longer than this is cut, so that a task without newlines cannot fill the memory.
    private static let longest = 256 * 1024

    mutating func take(_ bytes: [UInt8]) -> [String] {
        offset += UInt64(bytes.count)
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || partial.count >= Self.longest {
                lines.append(String(decoding: partial, as: UTF8.self))
                partial.removeAll(keepingCapacity: true)
                if byte == UInt8(ascii: "\n") { continue }
            }
            partial.append(byte)
        }
        return lines
    }

    mutating func finish() -> String? {
        partial.isEmpty ? nil : String(decoding: partial, as: UTF8.self)
    }
}
