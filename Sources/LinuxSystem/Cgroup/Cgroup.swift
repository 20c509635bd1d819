/// One cgroup of the v2 hierarchy, by its directory.
public struct Cgroup: Sendable, Hashable {
    public let path: String

    public init(path: String) { self.path = path }

    /// The last part of the path.
    public var name: String {
        String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
    }

    public func child(_ name: String) -> Cgroup { Cgroup(path: path + "/" + name) }

    public var exists: Bool { (try? FileStatus.of(path: path)?.kind == .directory) ?? false }

    /// Makes it; one that is there already is fine.
    public func make() throws(SystemError) { try Files.makeDirectory(path, mode: 0o755) }

    /// A descriptor for CLONE_INTO_CGROUP.
    public func open() throws(SystemError) -> OwnedDescriptor { try Files.open(path, .directory) }

    /// Whether a living process is in it or below it; `nil`: it is gone. Zombies do not count.
    public func isPopulated() throws(SystemError) -> Bool? {
        do {
            guard let bytes = try Files.read(path + "/cgroup.events", limit: 4096) else { return nil }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains("populated 1")
        } catch  where error.errno == 19 {  // ENODEV: removed between open and read
            return nil
        }
    }

    /// SIGKILL to all in it and below it, however fast they fork (cgroup.kill, Linux 5.14). Gone is fine.
    public func kill() throws(SystemError) {
        do {
            try Files.write(path + "/cgroup.kill", "1")
        } catch  where error.errno == ErrorNumber.notFound || error.errno == 19 {
        }
    }

    /// The processes that are directly in it.
    public func processes() throws(SystemError) -> [Int32] {
        guard let bytes = try Files.read(path + "/cgroup.procs", limit: 64 << 20) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
    }

    /// The names of the cgroups directly below it.
    public func children() throws(SystemError) -> [String] {
        var names: [String] = []
        for name in try Files.list(path) where try FileStatus.of(path: path + "/" + name)?.kind == .directory {
            names.append(name)
        }
        return names
    }

    /// Enables what there is of these controllers for the cgroups below; returns those that are enabled then.
    public func enableControllers(_ names: [String]) -> [String] {
        func words(_ file: String) -> Set<String> {
            guard let bytes = try? Files.read(path + "/" + file, limit: 4096) else { return [] }
            return Set(
                String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" }).map(
                    String.init))
        }
        let available = words("cgroup.controllers")
        // One at a time: a write with several is refused as a whole.
        for name in names where available.contains(name) {
            try? Files.write(path + "/cgroup.subtree_control", "+" + name)
        }
        let enabled = words("cgroup.subtree_control")
        return names.filter(enabled.contains)
    }

    /// Removes it and the empty ones below it. Gone is fine; EBUSY while processes, or their last traces, are in it.
    public func remove() throws(SystemError) { try remove(depth: 0) }

    private func remove(depth: Int) throws(SystemError) {
        do {
            try Files.removeDirectory(path)
        } catch  where error.errno == ErrorNumber.busy && depth < 32 {
            let below = try children()
            if below.isEmpty { throw error }
            for name in below { try child(name).remove(depth: depth + 1) }
            try Files.removeDirectory(path)
        }
    }
}
