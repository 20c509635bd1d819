internal import CLinux
private import Glibc

extension Files {
    /// Where a symbolic link points to, as it is written; `nil` if the path is no link (readlink(2)).
    ///
    /// Throws ENOENT if there is nothing.
    public static func linkTarget(_ path: String) throws(SystemError) -> String? {
        try refuseNUL(path, "readlink")
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = target.withUnsafeMutableBytes { bytes in
            fafd_read_link(-1, path, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        if length == -Int(EINVAL) { return nil }
        try check(length, "readlink", path)
        return String(decoding: target.prefix(Int(length)), as: UTF8.self)
    }

    /// At most `limit` bytes from `offset` on; empty at or behind the end; `nil`: there is no such file (pread(2)).
    public static func read(_ path: String, from offset: UInt64, limit: Int) throws(SystemError) -> [UInt8]? {
        let file: OwnedDescriptor
        do { file = try open(path, [.noFollow, .nonblocking]) } catch {
            if error.errno == ErrorNumber.notFound { return nil }
            throw error
        }
        let descriptor = file.rawValue
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var result: Int
            repeat {
                result = pread(descriptor, buffer.baseAddress, buffer.count, off_t(clamping: offset))
            } while result < 0 && errno == EINTR
            if result < 0 { failure = errno }
            count = max(result, 0)
        }
        if failure != 0 { throw SystemError(call: "pread", path: path, errno: failure) }
        return bytes
    }
}

extension Files {
    /// The path of a directory without links in it, as the kernel names it (proc(5), `/proc/PID/fd`).
    public static func realPath(ofDirectory path: String) throws(SystemError) -> String {
        let directory = try open(path, [.directory, .pathOnly])
        guard let real = try linkTarget("/proc/self/fd/\(directory.rawValue)") else {
            throw SystemError(call: "readlink", path: path, errno: ErrorNumber.invalid)
        }
        return real
    }
}
