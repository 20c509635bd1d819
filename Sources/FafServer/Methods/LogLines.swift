/// Where the last lines of an output begin.
enum LogTail {
    /// Looked through at most, from the end; the last lines are not looked for beyond it.
    static let limit: UInt64 = 8 << 20

    /// Reads backwards, a chunk at a time. `lines` is how many there are from `start` on, at most those that are wanted.
    static func find<Failure: Error>(
        _ wanted: Int64, size: UInt64, chunk: Int, read: (UInt64, Int) throws(Failure) -> [UInt8]
    ) async throws(Failure) -> (start: UInt64, lines: Int64) {
        guard wanted > 0 else { return (size, 0) }
        var at = size
        var found: Int64 = 0
        while at > 0, size - at < limit {
            let from = at > UInt64(chunk) ? at - UInt64(chunk) : 0
            let bytes = try read(from, Int(at - from))
            for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
                let next = from + UInt64(index) + 1
                if next == size { continue }  // ends the last line, begins none
                found += 1
                if found == wanted { return (next, found) }
            }
            at = from
            await Task.yield()
        }
        return (at, size > 0 ? found + 1 : 0)
    }
}

/// Cuts bytes into lines; what is not UTF-8 becomes U+FFFD.
struct LineReader {
    /// Where the next bytes come from.
    var offset: UInt64 = 0
    /// Behind the last line that is complete.
    var place: UInt64 { offset - UInt64(partial.count) }
    private var complete: [String] = []
    private var partial: [UInt8] = []

    /// A line longer than this is cut: it fits into a message, even if each of its bytes is escaped.
    static let longest = 64 * 1024

    mutating func take(_ bytes: [UInt8]) {
        offset += UInt64(bytes.count)
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let piece = rest[..<(end ?? rest.endIndex)]
            let room = Self.longest - partial.count
            if piece.count > room {
                partial += piece.prefix(room)
                rest = rest.dropFirst(room)
                cut()
                continue
            }
            partial += piece
            rest = rest[piece.endIndex...]
            if end != nil {
                cut()
                rest = rest.dropFirst()
            }
        }
    }

    /// What has no newline at its end is a line, too.
    mutating func finish() {
        if !partial.isEmpty { cut() }
    }

    /// The lines that are complete, once.
    mutating func lines() -> [String] {
        defer { complete = [] }
        return complete
    }

    private mutating func cut() {
        complete.append(String(decoding: partial, as: UTF8.self))
        partial.removeAll(keepingCapacity: true)
    }
}
