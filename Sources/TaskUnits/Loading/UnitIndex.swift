import UnitFile

/// Which names the unit directories hold, read once: what one reload loads all its units from.
///
/// A name belongs to the first directory that has it. A link to another name of these directories is an alias; a link to
/// anywhere else is read through; a link to `/dev/null` masks.
public struct UnitIndex<FileSystem: UnitFileSystem>: Sendable {
    enum Entry: Sendable, Hashable {
        case file(path: String)
        case masked(path: String)
        case alias(UnitName)
        /// A link that could not be looked at. No lower directory stands in: it may be what this one replaces.
        case unreadable(SourcedProblem)
    }

    /// Highest priority first.
    public let directories: [String]
    let fileSystem: FileSystem
    private(set) var entries: [UnitName: Entry] = [:]
    private(set) var aliasNames: [UnitName] = []
    /// All names in each directory, to know which drop-in directories exist.
    private(set) var listings: [String: Set<String>] = [:]
    /// Directories that could not be read. Every unit is told of them: what they would have changed is not known.
    public private(set) var problems: [SourcedProblem] = []

    public init(of directories: [String], in fileSystem: FileSystem) {
        self.directories = directories.map(withoutTrailingSlashes)
        self.fileSystem = fileSystem
        for directory in self.directories where listings[directory] == nil {
            do throws(UnitFileSystemError) {
                let names = try fileSystem.names(in: directory) ?? []
                listings[directory] = Set(names)
                for name in names { add(name, in: directory) }
            } catch {
                listings[directory] = []
                problems.append(SourcedProblem(error))
            }
        }
    }

    /// The names of all units, aliases and masked ones too, with suffix, sorted by bytes.
    public var names: [String] {
        entries.keys.map(\.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private mutating func add(_ text: String, in directory: String) {
        guard let name = try? UnitName(text), entries[name] == nil else { return }
        let path = directory + "/" + text
        do throws(UnitFileSystemError) {
            guard let target = try destination(of: path) else {
                entries[name] = .file(path: path)
                return
            }
            if target.isNull {
                entries[name] = .masked(path: path)
            } else if let other = target.names.first, directories.contains(other.directory) {
                // Only the first step decides, as in systemd. A link that cannot be an alias is as good as not there:
                // a lower directory may have the unit.
                guard let alias = try? UnitName(other.name), mayStand(name, for: alias) else { return }
                entries[name] = .alias(alias)
                aliasNames.append(name)
            } else {
                entries[name] = .file(path: path)
            }
        } catch {
            entries[name] = .unreadable(SourcedProblem(error))
        }
    }

    /// Follows the links at `path`: every place on the way, and whether they end at `/dev/null`; `nil` for no link.
    func destination(
        of path: String
    ) throws(UnitFileSystemError) -> (isNull: Bool, names: [(directory: String, name: String)])? {
        var places: [(directory: String, name: String)] = []
        var current = path
        // Longer chains are refused by whoever reads the file.
        while places.count < 8, let target = try fileSystem.linkTarget(of: current) {
            current = absolutePath(target, from: current)
            if current == "/dev/null" { return (true, places) }
            places.append(split(current))
        }
        return places.isEmpty ? nil : (false, places)
    }

    /// A link keeps the kind of name and the instance; one instance may be a link to a template.
    private func mayStand(_ alias: UnitName, for name: UnitName) -> Bool {
        if alias == name { return false }
        switch (alias.kind, name.kind) {
        case (.plain, .plain), (.template, .template), (.instance, .template): return true
        case (.instance, .instance): return alias.instance == name.instance
        case (.plain, _), (.template, _), (.instance, .plain): return false
        }
    }
}

/// Resolves a link's target against the directory of the link, `.` and `..` by their letters.
func absolutePath(_ target: String, from link: String) -> String {
    let base = target.utf8.first == UInt8(ascii: "/") ? "" : split(link).directory
    var parts: [String] = []
    for part in pathParts(base + "/" + target) where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}

private func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    return (String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
}

private func withoutTrailingSlashes(_ path: String) -> String {
    let length = path.utf8.reversed().drop { $0 == UInt8(ascii: "/") }.count
    return String(decoding: path.utf8.prefix(length), as: UTF8.self)
}
