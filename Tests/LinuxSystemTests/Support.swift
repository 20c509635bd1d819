import Glibc
import LinuxSystem

/// A directory of the test's own that goes with it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/faf-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(call: "mkdtemp", errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { removeTree(path) }

    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemError(call: "open", path: file, errno: errno) }
        let owned = OwnedDescriptor(owning: descriptor)
        try owned.writeAll(Array(text.utf8))
        guard chmod(file, mode) == 0 else { throw SystemError(call: "chmod", path: file, errno: errno) }
        return file
    }

    func directory(_ name: String, mode: mode_t = 0o755) throws -> String {
        let made = path + "/" + name
        guard mkdir(made, mode) == 0, chmod(made, mode) == 0 else {
            throw SystemError(call: "mkdir", path: made, errno: errno)
        }
        return made
    }
}

private func removeTree(_ path: String) {
    if let names = try? Files.list(path) {
        for name in names {
            var status = stat()
            let inner = path + "/" + name
            if lstat(inner, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                removeTree(inner)
            } else {
                unlink(inner)
            }
        }
    }
    rmdir(path)
}

/// Starts a program; the caller waits for it.
func start(_ arguments: [String]) throws -> pid_t {
    var pid: pid_t = 0
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    argv.append(nil)
    defer { for argument in argv { free(argument) } }
    let error = posix_spawn(&pid, arguments[0], nil, nil, &argv, environ)
    guard error == 0 else { throw SystemError(call: "posix_spawn", path: arguments[0], errno: error) }
    return pid
}

/// Runs a program to its end and tells its exit code; −1 for a signal.
func run(_ arguments: [String]) throws -> Int32 {
    let pid = try start(arguments)
    var status: Int32 = 0
    guard waitpid(pid, &status, 0) == pid else { throw SystemError(call: "waitpid", errno: errno) }
    return status & 0x7f == 0 ? status >> 8 & 0xff : -1
}
