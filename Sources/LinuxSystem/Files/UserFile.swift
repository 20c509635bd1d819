internal import CLinux

/// Files that a unit names but others own: opened with the run's rights (threat-model C7).
public enum UserFile {
    /// Reads a regular file with the rights of these ids, on the calling thread, without waiting and with a size limit.
    ///
    /// Refused: EACCES and ENOENT as for that user; EINVAL for what is no regular file or lies on procfs, where files
    /// answer with the reader's own secrets; EFBIG beyond `limit`; EPERM if this process may not act for `uid`.
    public static func read(
        _ path: String, uid: UInt32, gid: UInt32, groups: [UInt32], limit: Int
    ) throws(SystemError) -> [UInt8] {
        try refuseNUL(path, "open")
        let file = OwnedDescriptor(owning: try check(fafd_open_as(path, uid, gid, groups, groups.count), "open", path))
        guard try file.status().kind == .regular, try check(fafd_is_proc(file.rawValue), "fstatfs", path) == 0 else {
            throw SystemError(call: "read", path: path, errno: ErrorNumber.invalid)
        }
        return try file.readAll(limit: limit, path: path)
    }
}
