internal import CLinux

/// A POSIX write lock on a whole file, for as long as this value lives.
///
/// It goes with the process, however that ends; and with any other close of the same file in this process
/// (fcntl(2)), so nothing else may open that file.
public struct FileLock: ~Copyable, Sendable {
    private let file: OwnedDescriptor

    /// Who has a file locked, as F_GETLK tells it.
    public enum Holder: Sendable, Hashable {
        case nobody
        /// The process; 0 if it is not visible in this pid namespace.
        case process(Int32)
    }

    /// Creates the file (0600) if needed and locks it; `nil`: another process has it.
    public static func take(_ path: String) throws(SystemError) -> FileLock? {
        let file = try Files.open(path, [.readWrite, .create, .noFollow], mode: 0o600)
        let result = fafd_lock(file.rawValue)
        if result == -ErrorNumber.again { return nil }
        try check(result, "fcntl F_SETLK", path)
        return FileLock(file: file)
    }

    private init(file: consuming OwnedDescriptor) { self.file = file }
}

extension OwnedDescriptor {
    /// Who else holds a lock on this file. The answer may be old when it arrives.
    public func lockHolder() throws(SystemError) -> FileLock.Holder {
        var pid: Int32 = 0
        let state = try check(fafd_lock_holder(rawValue, &pid), "fcntl F_GETLK")
        return state == Int32(FAFD_LOCK_HELD.rawValue) ? .process(pid) : .nobody
    }
}
