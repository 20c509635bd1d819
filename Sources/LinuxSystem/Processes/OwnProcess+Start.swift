private import Glibc

extension OwnProcess {
    /// The environment that this process was started with; a name that stands there twice counts once, the first.
    public static var environment: [String: String] {
        guard let bytes = (try? Files.read("/proc/self/environ", limit: 8 << 20)) ?? nil else { return [:] }
        var environment: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            guard let separator = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: entry[..<separator], as: UTF8.self)
            if environment[name] == nil {
                environment[name] = String(decoding: entry[(separator + 1)...], as: UTF8.self)
            }
        }
        return environment
    }

    /// The real path of this program's file; `nil` if /proc does not tell.
    public static var executablePath: String? { (try? Files.linkTarget("/proc/self/exe")) ?? nil }

    /// Takes orphaned descendants as its own children and never has to wait for them: with SIGCHLD ignored the kernel
    /// leaves no zombies (sigaction(2), notes). What this process executes inherits that and has to reset it.
    public static func reapOrphans() throws(SystemError) {
        try becomeSubreaper()
        signal(SIGCHLD, SIG_IGN)
    }
}
