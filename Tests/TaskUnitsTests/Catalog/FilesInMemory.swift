import TaskUnits

/// Unit files that exist only in a test; `reads` counts how often each was read.
final class FilesInMemory: UnitFileSystem, @unchecked Sendable {
    // Only ever used by one test at a time.
    var files: [String: [UInt8]] = [:]
    var links: [String: String] = [:]
    var unreadable: Set<String> = []
    var reads: [String: Int] = [:]

    init(_ files: [String: String] = [:]) {
        for (path, text) in files { self.files[path] = Array(text.utf8) }
    }

    func names(in directory: String) throws(UnitFileSystemError) -> [String]? {
        if unreadable.contains(directory) { throw refused(directory) }
        var names: Set<String> = []
        for path in Array(files.keys) + Array(links.keys) + Array(unreadable) where path.hasPrefix(directory + "/") {
            let rest = path.dropFirst(directory.count + 1)
            names.insert(String(rest.prefix { $0 != "/" }))
        }
        return names.isEmpty ? nil : Array(names)
    }

    func bytes(of path: String) throws(UnitFileSystemError) -> [UInt8]? {
        if unreadable.contains(path) { throw refused(path) }
        reads[path, default: 0] += 1
        if let target = links[path] { return try bytes(of: target) }
        return path == "/dev/null" ? [] : files[path]
    }

    func linkTarget(of path: String) -> String? { links[path] }

    private func refused(_ path: String) -> UnitFileSystemError {
        UnitFileSystemError(path: path, message: "writable by others", remedy: "chmod go-w \(path)")
    }
}

/// A catalog of one directory, `/u`.
func catalog(_ files: FilesInMemory, directories: [String] = ["/u"]) -> UnitCatalog {
    UnitCatalog.load(directories: directories, fileSystem: files, context: specifiers)
}

func catalog(_ files: [String: String]) -> UnitCatalog { catalog(FilesInMemory(files)) }

/// Of a machine with the users alice and bob.
@Sendable func specifiers(of user: String?) -> SpecifierContext {
    var context = SpecifierContext()
    context.hostname = "host.example"
    context.user = user ?? "root"
    context.uid = user == nil ? 0 : 2001
    context.group = user ?? "root"
    context.gid = user == nil ? 0 : 2001
    context.home = user.map { "/home/" + $0 } ?? "/root"
    context.shell = "/bin/sh"
    return context
}

extension UnitCatalog.Lookup {
    var unit: TaskUnit? { if case .found(let unit) = self { unit } else { nil } }

    var diagnostics: [Diagnostic] {
        switch self {
        case .found(let unit): unit.diagnostics
        case .bad(let diagnostics): diagnostics
        case .notFound, .masked, .template, .badName: []
        }
    }
}

/// The task `t` of `/u/t.task` with these lines in [Task], and perhaps a drop-in with others.
func task(_ lines: String, dropIn: String? = nil) -> UnitCatalog.Lookup {
    var files = ["/u/t.task": "[Task]\nExecStart=/srv/t\n" + lines + "\n"]
    if let dropIn { files["/u/t.task.d/10-more.conf"] = "[Task]\n" + dropIn + "\n" }
    return catalog(files).task(named: "t")
}
