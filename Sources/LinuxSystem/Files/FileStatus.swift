internal import CLinux

/// What stat(2) says about a file.
public struct FileStatus: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case regular, directory, link, fifo, socket, characterDevice, blockDevice, other
    }

    public let device: UInt64
    public let inode: UInt64
    /// Names of a file; of a directory two and its subdirectories, where the filesystem counts them.
    public let links: UInt32
    public let size: UInt64
    public let kind: Kind
    /// The permission bits, setuid, setgid and sticky included (07777).
    public let permissions: UInt32
    public let uid: UInt32
    public let gid: UInt32
    /// µs of CLOCK_REALTIME.
    public let modified: Int64

    init(_ status: fafd_stat) {
        device = status.device
        inode = status.inode
        links = status.links
        size = status.size
        permissions = status.mode & 0o7777
        uid = status.uid
        gid = status.gid
        modified = status.modified_us
        kind =
            switch status.mode & 0o170000 {
            case 0o100000: .regular
            case 0o040000: .directory
            case 0o120000: .link
            case 0o010000: .fifo
            case 0o140000: .socket
            case 0o020000: .characterDevice
            case 0o060000: .blockDevice
            default: .other
            }
    }

    /// Group or others may write.
    public var isWritableByOthers: Bool { permissions & 0o022 != 0 }

    /// Follows links unless told otherwise; `nil`: there is nothing.
    public static func of(path: String, followingLinks: Bool = true) throws(SystemError) -> FileStatus? {
        try refuseNUL(path, "stat")
        var status = fafd_stat()
        let result = fafd_stat_path(-1, path, followingLinks ? 1 : 0, &status)
        if result == -ErrorNumber.notFound || result == -ErrorNumber.notDirectory { return nil }
        try check(result, "stat", path)
        return FileStatus(status)
    }
}

extension FileStatus {
    /// Whether the file system of this path asks no other machine and no other process; `false` also if that is not
    /// known. The first look at one that does may hang.
    public static func isOnLocalFileSystem(_ path: String) -> Bool {
        (try? refuseNUL(path, "statfs")) != nil && fafd_is_local(path) == 1
    }
}

extension OwnedDescriptor {
    /// fstat(2).
    public func status() throws(SystemError) -> FileStatus {
        var status = fafd_stat()
        try check(fafd_stat_fd(rawValue, &status), "fstat")
        return FileStatus(status)
    }
}
