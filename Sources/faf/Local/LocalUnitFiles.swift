import Glibc
import LinuxSystem
import TaskUnits

/// Unit files as they lie on disk.
///
/// Who owns them does not matter here: `verify` is for files that are not installed yet, and `run` gives nobody more
/// rights than the caller has.
struct LocalUnitFiles: UnitFileSystem {
    func names(in directory: String) throws(UnitFileSystemError) -> [String]? {
        do throws(SystemError) {
            return try Files.list(directory)
        } catch {
            if error.errno == ErrorNumber.notFound || error.errno == ErrorNumber.notDirectory { return nil }
            throw Self.unreadable(directory, error)
        }
    }

    func bytes(of path: String) throws(UnitFileSystemError) -> [UInt8]? {
        do throws(SystemError) {
            guard let status = try FileStatus.of(path: path) else { return nil }
            // /dev/null: masked.
            if status.kind == .characterDevice { return [] }
            guard status.kind == .regular else {
                throw SystemError(call: "read", path: path, errno: ErrorNumber.invalid)
            }
            return try Files.read(path, limit: 1 << 20)
        } catch {
            throw Self.unreadable(path, error)
        }
    }

    func linkTarget(of path: String) throws(UnitFileSystemError) -> String? {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink(path, &target, target.count)
        // No link (EINVAL), or nothing there: what is wrong shows when the file is read.
        guard length >= 0 else { return nil }
        return String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func unreadable(_ path: String, _ error: SystemError) -> UnitFileSystemError {
        switch error.errno {
        case ErrorNumber.tooLarge:
            UnitFileSystemError(path: path, message: "the file is larger than 1 MiB", remedy: "make it smaller")
        case ErrorNumber.invalid:
            UnitFileSystemError(path: path, message: "this is not a regular file", remedy: "put a file there")
        default:
            UnitFileSystemError(
                path: path, message: "cannot be read: \(SystemError.text(of: error.errno))",
                remedy: "look at the path and its permissions")
        }
    }
}
