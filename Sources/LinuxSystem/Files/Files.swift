internal import CLinux

/// Files and directories by path. Paths with a NUL are refused with EINVAL.
public enum Files {
    public struct OpenOptions: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let write = OpenOptions(rawValue: FAFD_OPEN_WRITE.rawValue)
        public static let readWrite = OpenOptions(rawValue: FAFD_OPEN_READ_WRITE.rawValue)
        public static let create = OpenOptions(rawValue: FAFD_OPEN_CREATE.rawValue)
        public static let exclusive = OpenOptions(rawValue: FAFD_OPEN_EXCLUSIVE.rawValue)
        public static let truncate = OpenOptions(rawValue: FAFD_OPEN_TRUNCATE.rawValue)
        public static let append = OpenOptions(rawValue: FAFD_OPEN_APPEND.rawValue)
        public static let directory = OpenOptions(rawValue: FAFD_OPEN_DIRECTORY.rawValue)
        /// The last component must not be a link.
        public static let noFollow = OpenOptions(rawValue: FAFD_OPEN_NOFOLLOW.rawValue)
        /// Opening a FIFO or a device does not wait.
        public static let nonblocking = OpenOptions(rawValue: FAFD_OPEN_NONBLOCK.rawValue)
        /// O_PATH: names the file, opens nothing.
        public static let pathOnly = OpenOptions(rawValue: FAFD_OPEN_PATH.rawValue)
    }

    /// openat(2); for reading unless told otherwise. Relative paths start at `directory`.
    public static func open(
        _ path: String, _ options: OpenOptions = [], mode: UInt32 = 0o600, in directory: Int32 = -1
    ) throws(SystemError) -> OwnedDescriptor {
        try refuseNUL(path, "open")
        return OwnedDescriptor(owning: try check(fafd_open(directory, path, options.rawValue, mode), "open", path))
    }

    /// The content of a regular file; EFBIG beyond `limit`. `nil`: there is none.
    public static func read(_ path: String, limit: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
        do {
            let file = try open(path, .nonblocking)
            return try file.readAll(limit: limit, path: path)
        } catch  where error.errno == ErrorNumber.notFound {
            return nil
        }
    }

    /// Writes into an existing file or one of the kernel's (cgroupfs, procfs), in one write(2).
    public static func write(_ path: String, _ text: String) throws(SystemError) {
        let file = try open(path, .write)
        let bytes = Array(text.utf8)
        let written = bytes.withUnsafeBytes { fafd_write(file.rawValue, $0.baseAddress, $0.count) }
        try check(written, "write", path)
    }

    /// Makes a directory; one that is there already is fine. Returns whether it was made. The mode is exact, whatever the
    /// umask, if the directory was made.
    @discardableResult
    public static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) -> Bool {
        try refuseNUL(path, "mkdir")
        let result = fafd_make_directory(path, mode)
        if result == -ErrorNumber.exists {
            guard let status = try FileStatus.of(path: path), status.kind == .directory else {
                throw SystemError(call: "mkdir", path: path, errno: ErrorNumber.notDirectory)
            }
            return false
        }
        try check(result, "mkdir", path)
        try setMode(path, mode)
        return true
    }

    /// Makes a directory and those above it that are missing, the latter with `parentMode`.
    public static func makeDirectories(_ path: String, mode: UInt32, parentMode: UInt32 = 0o755) throws(SystemError) {
        if let status = try FileStatus.of(path: path), status.kind == .directory { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectories(String(path[..<slash]), mode: parentMode, parentMode: parentMode)
        }
        try makeDirectory(path, mode: mode)
    }

    /// chmod(2) of a directory or file that must not be a link.
    public static func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
        let file = try open(path, [.noFollow, .nonblocking])
        try check(fafd_change_mode(file.rawValue, mode), "chmod", path)
    }

    /// The names in a directory, without `.` and `..`, in no order.
    public static func list(_ path: String) throws(SystemError) -> [String] {
        try refuseNUL(path, "opendir")
        var list: UnsafeMutableRawPointer?
        try check(fafd_list_open(path, &list), "opendir", path)
        defer { fafd_list_close(list) }
        var names: [String] = []
        var name = [CChar](repeating: 0, count: 4096)
        while try check(fafd_list_next(list, &name, name.count), "readdir", path) == 1 {
            name.withUnsafeBufferPointer { if let base = $0.baseAddress { names.append(String(cString: base)) } }
        }
        return names
    }

    /// Removes a file; one that is not there is fine. Returns whether there was one.
    @discardableResult
    public static func remove(_ path: String) throws(SystemError) -> Bool {
        try refuseNUL(path, "unlink")
        let result = fafd_unlink(path)
        if result == -ErrorNumber.notFound { return false }
        try check(result, "unlink", path)
        return true
    }

    /// Removes an empty directory; one that is not there is fine.
    public static func removeDirectory(_ path: String) throws(SystemError) {
        try refuseNUL(path, "rmdir")
        let result = fafd_remove_directory(path)
        if result != -ErrorNumber.notFound { try check(result, "rmdir", path) }
    }

    /// Removes a directory of this process's own with all that others have left in it, however much and deep; no link is
    /// followed. One that is not there is fine.
    ///
    /// - Returns: whether it is gone; `false`: `limit` µs were not enough, the next call goes on.
    public static func removeTree(_ path: String, limit: UInt64) throws(SystemError) -> Bool {
        try refuseNUL(path, "unlink")
        let result = fafd_remove_tree(path, limit)
        if result == -ErrorNumber.again { return false }
        try check(result, "unlink", path)
        return true
    }

    /// The path without links and dots (realpath(3)); `nil`: there is no such file.
    public static func realPath(_ path: String) throws(SystemError) -> String? {
        try refuseNUL(path, "realpath")
        var real = [CChar](repeating: 0, count: 4096)
        let result = fafd_real_path(path, &real)
        if result == -ErrorNumber.notFound || result == -ErrorNumber.notDirectory { return nil }
        try check(result, "realpath", path)
        return real.withUnsafeBufferPointer { buffer in buffer.baseAddress.map { String(cString: $0) } }
    }

    public static func rename(_ from: String, to: String) throws(SystemError) {
        try refuseNUL(from, "rename")
        try refuseNUL(to, "rename")
        try check(fafd_rename(from, to), "rename", "\(from) to \(to)")
    }

    /// Makes what was created, renamed or removed in a directory durable (fsync(2)).
    public static func syncDirectory(_ path: String) throws(SystemError) {
        let directory = try open(path, .directory)
        try check(fafd_sync(directory.rawValue), "fsync", path)
    }

    /// Puts a file in place as a whole: written aside, fsynced, renamed, the directory fsynced (threat-model H2). After an
    /// error the old file is still there, unless only the last fsync failed: then either may be.
    public static func replaceDurably(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        let aside = "\(path).new.\(fafd_pid())"
        do {
            let file = try open(aside, [.write, .create, .truncate, .noFollow], mode: mode)
            try file.writeAll(bytes)
            try check(fafd_change_mode(file.rawValue, mode), "chmod", aside)
            try file.sync()
        } catch {
            _ = fafd_unlink(aside)
            throw SystemError(call: error.call, path: error.path ?? aside, errno: error.errno)
        }
        let renamed = fafd_rename(aside, path)
        if renamed < 0 { _ = fafd_unlink(aside) }
        try check(renamed, "rename", path)
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        try syncDirectory(directory)
    }

    /// Whether the effective ids may write there (access(2)).
    public static func isWritable(_ path: String) -> Bool { fafd_may_write(path) == 0 }
}
