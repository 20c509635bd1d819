internal import CLinux

/// A system call that the kernel refused: which, on what, and why.
public struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The call's name, as in section 2 of the manual.
    public let call: String
    /// The path it was about, if it was about one.
    public let path: String?
    /// The kernel's error number (errno(3)).
    public let errno: Int32

    public init(call: String, path: String? = nil, errno: Int32) {
        self.call = call
        self.path = path
        self.errno = errno
    }

    /// `EACCES`, or the number where it has no name.
    public var name: String { SystemError.name(of: errno) }

    /// `open /x: Permission denied (EACCES)`.
    public var description: String {
        "\(call)\(path.map { " " + $0 } ?? ""): \(SystemError.text(of: errno)) (\(name))"
    }

    /// The name of an error number, `EACCES` for 13.
    public static func name(of errno: Int32) -> String {
        fafd_errno_name(errno).map { String(cString: $0) } ?? String(errno)
    }

    /// The English text of an error number, `Permission denied` for 13.
    public static func text(of errno: Int32) -> String {
        fafd_errno_text(errno).map { String(cString: $0) } ?? "error \(errno)"
    }
}

/// Turns the C convention (a result, or -errno) into Swift's.
@discardableResult
func check<Result: FixedWidthInteger & SignedInteger>(
    _ result: Result, _ call: StaticString, _ path: String? = nil
) throws(SystemError) -> Result {
    guard result < 0 else { return result }
    throw SystemError(call: call.description, path: path, errno: Int32(truncatingIfNeeded: -result))
}

/// The kernel would read a path only up to its first NUL, that is another path than the one that was meant.
func refuseNUL(_ path: String, _ call: StaticString) throws(SystemError) {
    if path.utf8.contains(0) { throw SystemError(call: call.description, path: path, errno: ErrorNumber.invalid) }
}

/// The error numbers that callers tell apart; the same on every Linux architecture.
public enum ErrorNumber {
    /// EPERM
    public static let notPermitted: Int32 = 1
    /// ENOENT
    public static let notFound: Int32 = 2
    /// ESRCH
    public static let noProcess: Int32 = 3
    /// EIO
    public static let io: Int32 = 5
    /// EAGAIN
    public static let again: Int32 = 11
    /// ENOMEM
    public static let noMemory: Int32 = 12
    /// EACCES
    public static let access: Int32 = 13
    /// EBUSY
    public static let busy: Int32 = 16
    /// EEXIST
    public static let exists: Int32 = 17
    /// EXDEV
    public static let otherFileSystem: Int32 = 18
    /// ENOTDIR
    public static let notDirectory: Int32 = 20
    /// EISDIR
    public static let isDirectory: Int32 = 21
    /// EINVAL
    public static let invalid: Int32 = 22
    /// EMFILE
    public static let tooManyOpen: Int32 = 24
    /// ENFILE
    public static let tooManyOpenInAll: Int32 = 23
    /// EFBIG
    public static let tooLarge: Int32 = 27
    /// ENOSPC
    public static let noSpace: Int32 = 28
    /// EROFS
    public static let readOnly: Int32 = 30
    /// EPIPE
    public static let brokenPipe: Int32 = 32
    /// ENAMETOOLONG
    public static let nameTooLong: Int32 = 36
    /// ENOTEMPTY
    public static let notEmpty: Int32 = 39
    /// ELOOP
    public static let tooManyLinks: Int32 = 40
    /// EPROTO
    public static let `protocol`: Int32 = 71
    /// ECONNRESET
    public static let connectionReset: Int32 = 104
    /// ECONNREFUSED
    public static let connectionRefused: Int32 = 111
    /// ETIMEDOUT
    public static let timedOut: Int32 = 110
    /// ECANCELED
    public static let cancelled: Int32 = 125
    /// ETOOMANYREFS
    public static let tooManyReferences: Int32 = 109
}
