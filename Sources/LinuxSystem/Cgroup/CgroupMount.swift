/// Where the cgroup v2 hierarchy is mounted (cgroups(7)), on pure and on hybrid systems.
public struct CgroupMount: Sendable, Hashable {
    /// The mount point, `/sys/fs/cgroup` or `/sys/fs/cgroup/unified`.
    public let point: String
    /// The part of the hierarchy that is visible there; `/` unless it is a container's bind mount.
    public let root: String

    /// `nil`: this system has none.
    public static func find() throws(SystemError) -> CgroupMount? {
        guard let bytes = try Files.read("/proc/self/mountinfo", limit: 16 << 20) else { return nil }
        return parse(mountinfo: String(decoding: bytes, as: UTF8.self))
    }

    /// The absolute path of the cgroup that this process is in; `nil`: it lies outside of what is mounted here.
    public func ownCgroup() throws(SystemError) -> String? {
        guard let bytes = try Files.read("/proc/self/cgroup", limit: 1 << 20) else { return nil }
        return path(inCgroupFile: String(decoding: bytes, as: UTF8.self))
    }

    /// Fields of proc_pid_mountinfo(5): 4 root, 5 mount point, then options up to "-", then the type.
    static func parse(mountinfo: String) -> CgroupMount? {
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > 5, fields.indices.contains(dash + 1),
                fields[dash + 1] == "cgroup2"
            else { continue }
            return CgroupMount(point: unescape(fields[4]), root: unescape(fields[3]))
        }
        return nil
    }

    func path(inCgroupFile text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("0::") {
            var own = String(line.dropFirst(3))
            if root != "/" {
                guard own == root || own.hasPrefix(root + "/") else { return nil }
                own = String(own.dropFirst(root.count))
            }
            // A cgroup namespace shows what lies above it as "..".
            if own.split(separator: "/").contains("..") { return nil }
            return own.isEmpty || own == "/" ? point : point + own
        }
        return nil
    }

    /// Blank, tab, newline and backslash are written as three octal digits there.
    private static func unescape(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) {
                bytes.append(digits.reduce(UInt8(0)) { $0 &<< 3 | ($1 - 48) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
