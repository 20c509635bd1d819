internal import LinuxSystem
internal import TaskModel

/// Makes the directories that shims write into, with the modes that keep others out.
enum RuntimeDirectories {
    /// - Parameter isShared: tasks run as other users, who must reach their notify socket, their input and results.
    static func make(_ directories: Directories, isShared: Bool) throws(LauncherError) {
        let longest = UnixSocket.maximumPathLength - 33
        if directories.notifySockets.utf8.count > longest {
            let inner = directories.notifySockets.utf8.count - directories.runtime.utf8.count
            throw .runtimePathTooLong(directory: directories.runtime, longest: longest - inner)
        }
        try above(directories.runtime, mode: isShared ? 0o755 : 0o700)
        try above(directories.state, mode: isShared ? 0o711 : 0o700)
        try above(directories.logs, mode: 0o700)
        try own(directories.records, mode: 0o700)
        try own(directories.notifySockets, mode: isShared ? 0o711 : 0o700)
        try own(directories.credentials, mode: isShared ? 0o711 : 0o700)
        if isShared { try empty(directories.emptyFile) }
        try own(directories.ends, mode: 0o700)
        try own(directories.inputAndResults, mode: isShared ? 0o711 : 0o700)
        try own(directories.damaged, mode: 0o700)
    }

    /// One whose mode the operator (tmpfiles.d, systemd) may have chosen, as long as nobody else may write it.
    private static func above(_ path: String, mode: UInt32) throws(LauncherError) {
        do { try Files.makeDirectories(path, mode: mode) } catch { throw .system(error) }
        let status = try look(path)
        if status.isWritableByOthers { throw .unsafeDirectory(path, uid: status.uid, mode: status.permissions) }
    }

    /// One that only fafd and its shims use.
    private static func own(_ path: String, mode: UInt32) throws(LauncherError) {
        do { try Files.makeDirectory(path, mode: mode) } catch { throw .system(error) }
        let status = try look(path)
        if status.permissions & 0o777 != mode {
            do { try Files.setMode(path, mode) } catch { throw .system(error) }
        }
    }

    /// A file that nobody may open, which is why it is made and never opened again: root may lack the right to.
    private static func empty(_ path: String) throws(LauncherError) {
        do throws(SystemError) {
            if try FileStatus.of(path: path, followingLinks: false) != nil { return }
            _ = try Files.open(path, [.write, .create, .exclusive, .noFollow], mode: 0)
        } catch {
            throw .system(error)
        }
    }

    private static func look(_ path: String) throws(LauncherError) -> FileStatus {
        let status: FileStatus?
        do { status = try FileStatus.of(path: path) } catch { throw .system(error) }
        guard let status else { throw .system(SystemError(call: "stat", path: path, errno: ErrorNumber.notFound)) }
        if status.uid != 0 && status.uid != OwnProcess.uid {
            throw .unsafeDirectory(path, uid: status.uid, mode: status.permissions)
        }
        return status
    }
}
