/// A file system made of a dictionary: for `faf analyze dropin` and for tests.
public struct UnitFilesInMemory: UnitFileSystem {
    public enum Node: Sendable, Hashable {
        case file([UInt8])
        case link(String)
        /// Throws this when it is read or listed.
        case unreadable(String)
    }

    private let nodes: [String: Node]
    private let folders: [String: [String]]

    /// `files` by absolute path. Directories are made as needed.
    public init(_ files: [String: Node]) {
        nodes = files
        var folders: [String: Set<String>] = [:]
        for path in files.keys {
            var rest = path[...]
            while let slash = rest.utf8.lastIndex(of: UInt8(ascii: "/")) {
                let name = String(rest[rest.utf8.index(after: slash)...])
                rest = rest[..<slash]
                if !folders[String(rest), default: []].insert(name).inserted { break }
            }
        }
        self.folders = folders.mapValues { $0.sorted() }
    }

    public func names(in directory: String) throws(UnitFileSystemError) -> [String]? {
        guard let path = followed(directory) else { return nil }
        try check(path)
        return folders[path]
    }

    public func bytes(of path: String) throws(UnitFileSystemError) -> [UInt8]? {
        guard let path = followed(path) else { return nil }
        if path == "/dev/null" { return [] }
        try check(path)
        if folders[path] != nil {
            throw UnitFileSystemError(path: path, message: "this is a directory", remedy: "write a file")
        }
        guard case .file(let bytes) = nodes[path] else { return nil }
        return bytes
    }

    public func linkTarget(of path: String) throws(UnitFileSystemError) -> String? {
        guard case .link(let target) = nodes[path] else { return nil }
        return target
    }

    private func check(_ path: String) throws(UnitFileSystemError) {
        guard case .unreadable(let message) = nodes[path] else { return }
        throw UnitFileSystemError(path: path, message: message, remedy: "make it readable")
    }

    /// Links at the end of the path only, eight of them.
    private func followed(_ path: String) -> String? {
        var current = path
        for _ in 0..<8 {
            guard case .link(let target) = nodes[current] else { return current }
            current = absolutePath(target, from: current)
        }
        return nil
    }
}
