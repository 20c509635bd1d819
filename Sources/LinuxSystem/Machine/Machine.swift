/// What this machine and its kernel are called.
public enum Machine {
    /// `/proc/sys/kernel/random/boot_id`: a UUID that is new with each boot.
    public static func bootID() throws(SystemError) -> String { try line("/proc/sys/kernel/random/boot_id") }

    /// `/etc/machine-id` (machine-id(5)); `nil` where there is none.
    public static func machineID() -> String? {
        guard let id = try? line("/etc/machine-id"), !id.isEmpty, id != "uninitialized" else { return nil }
        return id
    }

    public static func hostname() throws(SystemError) -> String { try line("/proc/sys/kernel/hostname") }

    /// As `uname -r`.
    public static func kernelRelease() throws(SystemError) -> String { try line("/proc/sys/kernel/osrelease") }

    private static func line(_ path: String) throws(SystemError) -> String {
        guard let bytes = try Files.read(path, limit: 4096) else {
            throw SystemError(call: "open", path: path, errno: ErrorNumber.notFound)
        }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
