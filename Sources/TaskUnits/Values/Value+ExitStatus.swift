/// One word of `SuccessExitStatus=` and its like.
public enum ExitStatusItem: Sendable, Hashable {
    case code(UInt8)
    case signal(UInt8)
}

extension Value {
    /// A number 0...255, a name from systemd.exec(5) “Process Exit Codes” (`TEMPFAIL`), or a signal's name.
    public static func exitStatus(_ text: String) throws(ValueError) -> ExitStatusItem {
        if let code = exitCodes[text] { return .code(code) }
        if let number = IntegerText(text.utf8).unsigned, let code = UInt8(exactly: number) { return .code(code) }
        // A number that is no exit code is no signal either: `300` and `-9` are mistakes.
        if case .malformed = IntegerText(text.utf8), let signal = try? signal(text) { return .signal(signal) }
        throw ValueError(
            message: "\(quoted(text)) is no exit status",
            remedy: "write a number from 0 to 255, a name such as TEMPFAIL, or a signal such as SIGTERM")
    }

    private static let exitCodes: [String: UInt8] = {
        let names: [(first: UInt8, names: [String])] = [
            (
                0,
                [
                    "SUCCESS", "FAILURE", "INVALIDARGUMENT", "NOTIMPLEMENTED", "NOPERMISSION", "NOTINSTALLED",
                    "NOTCONFIGURED", "NOTRUNNING",
                ]
            ),
            (
                64,
                [
                    "USAGE", "DATAERR", "NOINPUT", "NOUSER", "NOHOST", "UNAVAILABLE", "SOFTWARE", "OSERR", "OSFILE",
                    "CANTCREAT", "IOERR", "TEMPFAIL", "PROTOCOL", "NOPERM", "CONFIG",
                ]
            ),
            (
                200,
                [
                    "CHDIR", "NICE", "FDS", "EXEC", "MEMORY", "LIMITS", "OOM_ADJUST", "SIGNAL_MASK", "STDIN", "STDOUT",
                    "CHROOT", "IOPRIO", "TIMERSLACK", "SECUREBITS", "SETSCHEDULER", "CPUAFFINITY", "GROUP", "USER",
                    "CAPABILITIES", "CGROUP", "SETSID", "CONFIRM", "STDERR",
                ]
            ),
            (
                224,
                [
                    "PAM", "NETWORK", "NAMESPACE", "NO_NEW_PRIVILEGES", "SECCOMP", "SELINUX_CONTEXT", "PERSONALITY",
                    "APPARMOR", "ADDRESS_FAMILIES", "RUNTIME_DIRECTORY",
                ]
            ),
            (
                235,
                [
                    "CHOWN", "SMACK_PROCESS_LABEL", "KEYRING", "STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY",
                    "CONFIGURATION_DIRECTORY", "NUMA_POLICY", "CREDENTIALS", "BPF",
                ]
            ),
            (255, ["EXCEPTION"]),
        ]
        var codes: [String: UInt8] = [:]
        for group in names {
            for (index, name) in group.names.enumerated() { codes[name] = group.first + UInt8(index) }
        }
        return codes
    }()
}
