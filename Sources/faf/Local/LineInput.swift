import Glibc

/// Lines of standard input, each as soon as it is there: whoever asks line by line gets answers line by line.
struct LineInput {
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// Without its end; `nil` when there is no more. What is not UTF-8 is replaced (and is then no JSON that we take).
    mutating func next() -> String? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return String(decoding: buffer[start..<end], as: UTF8.self)
            }
            if isAtEnd {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return String(decoding: buffer[start...], as: UTF8.self)
            }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            let part = [UInt8](unsafeUninitializedCapacity: 65536) { bytes, count in
                count = max(0, read(STDIN_FILENO, bytes.baseAddress, bytes.count))
            }
            isAtEnd = part.isEmpty
            buffer += part
        }
    }
}
