/// Why a stream of frames cannot go on.
public enum FrameError: Error, Sendable, Hashable {
    /// A message has more bytes than allowed, whether its end has been seen or not.
    case tooLarge(limit: Int)
}

/// Cuts a stream of bytes into messages, each ended by a NUL.
///
/// Fragments may be cut anywhere: a message is delivered as soon as its NUL is there, however much of the next one is.
/// While empty it holds no memory, so thousands of idle connections cost nothing here.
public struct FrameSplitter: Sendable {
    private let limit: Int
    private var buffer: [UInt8] = []
    /// Where the next message starts.
    private var start = 0
    /// Where to go on looking for its end: bytes are looked at once, even if they come one by one.
    private var searched = 0
    /// Index of its NUL, if it was found already.
    private var end: Int?

    /// `limit`: the largest message, without its NUL.
    public init(limit: Int) { self.limit = limit }

    /// Bytes received and not yet taken.
    public var pendingBytes: Int { buffer.count - start }

    /// Adds bytes as they were received.
    @specialized(where Bytes == [UInt8])
    public mutating func append<Bytes: Sequence<UInt8>>(_ bytes: Bytes) {
        // Moved to the front only when the front is the larger part: each byte moves at most once per doubling.
        if start > buffer.count / 2 {
            buffer.removeFirst(start)
            searched -= start
            if let end { self.end = end - start }
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// A whole message waits. Each byte is looked at once, here or in `next`.
    public mutating func hasMessage() -> Bool { findEnd() != nil }

    /// Hands the next whole message, without its NUL, to `body`; `nil` if there is none yet.
    public mutating func next<Message, Failure: Error>(
        _ body: (Span<UInt8>) -> Result<Message, Failure>
    ) throws(FrameError) -> Result<Message, Failure>? {
        guard let end = findEnd() else {
            if pendingBytes > limit { throw .tooLarge(limit: limit) }
            return nil
        }
        guard end - start <= limit else { throw .tooLarge(limit: limit) }
        let message = body(buffer.span.extracting(start..<end))
        start = end + 1
        searched = start
        self.end = nil
        if start == buffer.count { removeAll() }
        return message
    }

    /// Forgets everything received so far.
    public mutating func removeAll() {
        buffer = []
        start = 0
        searched = 0
        end = nil
    }

    private mutating func findEnd() -> Int? {
        if let end { return end }
        // Nothing beyond the limit needs to be looked at: it is refused either way.
        let stop = min(buffer.count, start + limit + 1)
        guard searched < stop else { return nil }
        end = buffer[searched..<stop].firstIndex(of: 0)
        searched = end ?? stop
        return end
    }
}
