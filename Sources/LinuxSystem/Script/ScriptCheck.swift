internal import CLinux
private import Glibc

/// Which script may run (design, section 5; threat-model C1–C4). One C function makes the check, here before a run is
/// numbered and in the shim's child directly before execve.
public enum ScriptCheck {
    /// The file that the check found: what execve gets, and what the second check is compared with.
    public struct Found: Sendable, Hashable {
        public let realPath: String
        public let device: UInt64
        public let inode: UInt64
    }

    /// Follows `path` and looks at everything on the way.
    ///
    /// - Parameters:
    ///   - owner: the uid that script and directories may belong to, beside root.
    ///   - allowedDirectories: the real path must lie below one of them; empty: anywhere.
    public static func check(
        path: String, owner: UInt32, allowedDirectories: [String]
    ) throws(ScriptRefusal) -> Found {
        if path.utf8.contains(0) || allowedDirectories.contains(where: { $0.utf8.contains(0) }) {
            throw ScriptRefusal(path: path, culprit: path, problem: FAF_CHECK_SYSTEM, errno: EINVAL, uid: 0, mode: 0)
        }
        let allowed = allowedDirectories.map { strdup($0) }
        defer { for text in allowed { free(text) } }
        var pointers = allowed.map { UnsafePointer<CChar>($0) }
        var result = faf_check_result()
        var real = [CChar](repeating: 0, count: Int(PATH_MAX))
        var culprit = real
        let problem = faf_check_script(
            path, owner, &pointers, pointers.count, &real, real.count, &culprit, culprit.count, &result)
        guard problem == FAF_CHECK_OK.rawValue else {
            throw ScriptRefusal(
                path: path, culprit: text(culprit), problem: faf_check_problem(rawValue: problem), errno: result.error,
                uid: result.uid, mode: result.mode)
        }
        return Found(realPath: text(real), device: result.device, inode: result.inode)
    }

    private static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Why a script may not run.
public struct ScriptRefusal: Error, Sendable, Hashable {
    /// As configured.
    public let path: String
    /// The file, link or directory at fault.
    public let culprit: String
    public let message: String
    public let remedy: String

    fileprivate init(
        path: String, culprit: String, problem: faf_check_problem, errno: Int32, uid: UInt32, mode: UInt32
    ) {
        self.path = path
        self.culprit = culprit.isEmpty ? path : culprit
        let object = self.culprit
        let octal = String(mode & 0o7777, radix: 8)
        switch problem {
        case FAF_CHECK_NOT_ABSOLUTE:
            message = "\(object) is not an absolute path"
            remedy = "write the path from / on"
        case FAF_CHECK_NOT_REGULAR:
            message = "\(object) is not a regular file"
            remedy = "name a script or a program"
        case FAF_CHECK_NOT_EXECUTABLE:
            message = "\(object) is not executable (mode \(octal))"
            remedy = "chmod +x \(object)"
        case FAF_CHECK_OWNER:
            message = "\(object) belongs to uid \(uid), who may not own this task's script"
            remedy = "chown it to root or to the task's user, or name its owner in ScriptOwner="
        case FAF_CHECK_WRITABLE:
            message = "\(object) is writable by group or others (mode \(octal)), so others could change what runs"
            remedy = "chmod go-w \(object)"
        case FAF_CHECK_DIRECTORY_OWNER:
            message = "\(object) belongs to uid \(uid), who could exchange the script below it"
            remedy = "chown it to root or to the script's owner, or move the script"
        case FAF_CHECK_DIRECTORY_WRITABLE:
            message = "\(object) is writable by group or others (mode \(octal)), so others could exchange the script"
            remedy = "chmod go-w \(object), or move the script"
        case FAF_CHECK_SETUID:
            message = "\(object) is setuid or setgid or has file capabilities (mode \(octal))"
            remedy = "remove them (chmod ug-s, setcap -r): User= decides whose rights a task has"
        case FAF_CHECK_NOT_ALLOWED:
            message = "\(object) lies below none of the AllowedDirectories="
            remedy = "move the script, or add its directory to AllowedDirectories="
        case FAF_CHECK_TOO_MANY_LINKS:
            message = "\(object) leads through too many links"
            remedy = "look for a loop"
        case FAF_CHECK_PATH_TOO_LONG:
            message = "the real path of \(path) is too long"
            remedy = "use a shorter path"
        default:
            let way = object == path ? "" : ", on the way from \(path)"
            message = "\(object): \(SystemError.text(of: errno)) (\(SystemError.name(of: errno)))\(way)"
            remedy =
                errno == ErrorNumber.tooManyOpen || errno == ErrorNumber.tooManyOpenInAll
                ? "raise LimitNOFILE= of fafd.service, or fs.file-max" : "look at the path and its permissions"
        }
    }
}
