import Glibc

/// Names of users, from /etc/passwd alone: faf is linked fully static, and glibc's lookups would load the system's
/// shared libraries into it (getpwuid(3) through nsswitch.conf). Whoever is not there is shown by number.
enum Users {
    static func name(_ uid: Int64) -> String? {
        for line in SmallFile.text("/etc/passwd")?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count >= 3, Int64(fields[2]) == uid { return String(fields[0]) }
        }
        return nil
    }
}

/// A file that is read whole.
enum SmallFile {
    /// At most `limit` bytes; `nil` if it cannot be read or is larger.
    static func bytes(_ path: String, limit: Int = 4 << 20) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return bytes(descriptor, limit: limit)
    }

    static func bytes(_ descriptor: Int32, limit: Int) -> [UInt8]? {
        var result: [UInt8] = []
        while true {
            let part = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
                count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
            }
            if part.isEmpty { return result }
            result += part
            if result.count > limit { return nil }
        }
    }

    static func text(_ path: String) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }
}
