/// What the loader needs of a file system; fafd and faf bring the real one, tests keep one in memory.
///
/// Paths are absolute. An implementation also decides which files may be trusted (owner, mode, size) and throws for
/// others.
public protocol UnitFileSystem: Sendable {
    /// The names in a directory in any order, without `.` and `..`; `nil` if there is no such directory.
    func names(in directory: String) throws(UnitFileSystemError) -> [String]?
    /// The contents, links followed; `nil` if there is no such file. `/dev/null` is empty.
    func bytes(of path: String) throws(UnitFileSystemError) -> [UInt8]?
    /// Where a symbolic link points to, as it is written; `nil` if it is none.
    func linkTarget(of path: String) throws(UnitFileSystemError) -> String?
}

/// A file or directory that is there and could not be read, or must not be.
public struct UnitFileSystemError: Error, Sendable, Hashable {
    public var path: String
    public var message: String
    public var remedy: String

    public init(path: String, message: String, remedy: String) {
        self.path = path
        self.message = message
        self.remedy = remedy
    }
}
