import GRDBSQLite
import Glibc
import Synchronization

/// SQLite's way to the disk, with faults: an fsync that fails after the bytes were written, which is what a disk that
/// goes bad looks like. Files of other paths are not touched.
enum FailingDisk {
    /// The syncs of this file that are still to fail.
    struct Fault {
        var path: String
        var syncs: Int
        /// What the caller of a failed sync does then, for instance copy the files as a crash would leave them.
        var then: @Sendable () -> Void = {}
    }

    private static let faults = Mutex<[Fault]>([])

    /// Makes the next syncs of the file at `path` fail.
    static func failSyncs(of path: String, times: Int = 1, then: @escaping @Sendable () -> Void = {}) {
        _ = isInstalled
        faults.withLock { $0.append(Fault(path: path, syncs: times, then: then)) }
    }

    static func heal() { faults.withLock { $0 = [] } }

    /// To be called before a database is opened whose files are to fail.
    static func install() { _ = isInstalled }

    /// Becomes SQLite's default; hands everything to the one that was.
    private static let isInstalled: Bool = {
        guard let original = sqlite3_vfs_find(nil) else { return false }
        let copy = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        copy.initialize(to: original.pointee)
        copy.pointee.zName = UnsafePointer(strdup("failing"))
        copy.pointee.xOpen = { _, name, file, flags, outFlags in
            guard let original = sqlite3_vfs_find("unix"), let open = original.pointee.xOpen else {
                return SQLITE_ERROR
            }
            let code = open(original, name, file, flags, outFlags)
            if code == SQLITE_OK, let file, let name { FailingDisk.wrap(file, String(cString: name)) }
            return code
        }
        return sqlite3_vfs_register(copy, 1) == SQLITE_OK
    }()

    /// Unchecked, because the compiler does not see that SQLite's tables of methods never change.
    private struct Wrapped: @unchecked Sendable {
        var methods: UnsafePointer<sqlite3_io_methods>
        var path: String
    }

    /// By address of the file; one that is opened where another was closed takes its place.
    private static let wrapped = Mutex<[UInt: Wrapped]>([:])

    private static func known(_ file: UnsafeMutablePointer<sqlite3_file>) -> Wrapped? {
        let address = UInt(bitPattern: file)
        return wrapped.withLock { $0[address] }
    }

    private static func wrap(_ file: UnsafeMutablePointer<sqlite3_file>, _ path: String) {
        guard let methods = file.pointee.pMethods else { return }
        let address = UInt(bitPattern: file)
        let known = Wrapped(methods: methods, path: path)
        wrapped.withLock { $0[address] = known }
        let copy = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        copy.initialize(to: methods.pointee)
        copy.pointee.xSync = { file, flags in
            guard let file, let known = FailingDisk.known(file) else { return SQLITE_ERROR }
            if FailingDisk.isToFail(known.path) { return FailingDisk.ioErrorAtSync }
            return known.methods.pointee.xSync?(file, flags) ?? SQLITE_ERROR
        }
        file.pointee.pMethods = UnsafePointer(copy)
    }

    /// SQLITE_IOERR_FSYNC, a macro with a calculation.
    private static let ioErrorAtSync = SQLITE_IOERR | 4 << 8

    private static func isToFail(_ path: String) -> Bool {
        let fault = faults.withLock { faults -> Fault? in
            guard let index = faults.firstIndex(where: { $0.path == path && $0.syncs > 0 }) else { return nil }
            faults[index].syncs -= 1
            return faults[index]
        }
        fault?.then()
        return fault != nil
    }
}
