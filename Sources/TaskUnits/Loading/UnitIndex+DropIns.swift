extension UnitIndex {
    /// The drop-ins of a unit with these names in the order in which they apply: by the bytes of their file names.
    ///
    /// Of several with the same file name the first directory wins, by `dropInDirectories`; an empty file or a link to
    /// `/dev/null` wins like any other, and hides them all.
    func dropInPaths(of names: [UnitName], _ problems: inout [SourcedProblem]) -> [String] {
        // By bytes: as text, two ways to write an ä are one.
        var paths: [[UInt8]: String] = [:]
        for directory in dropInDirectories(of: names) {
            do throws(UnitFileSystemError) {
                for file in try fileSystem.names(in: directory) ?? [] where isDropIn(file) {
                    let name = Array(file.utf8)
                    paths[name] = paths[name] ?? directory + "/" + file
                }
            } catch {
                problems.append(SourcedProblem(error))
            }
        }
        return paths.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }

    /// `nil`: it hides others of its name, or leads nowhere.
    func dropIn(at path: String) throws(UnitFileSystemError) -> [UInt8]? {
        if try destination(of: path)?.isNull == true { return nil }
        guard let bytes = try fileSystem.bytes(of: path), !bytes.isEmpty else { return nil }
        return bytes
    }

    /// The directories that exist, highest priority first: for each name in all unit directories, from its own to the
    /// shortest prefix; last of all the type-wide `task.d`.
    private func dropInDirectories(of names: [UnitName]) -> [String] {
        var found: [String] = []
        var seen: Set<String> = []
        func add(_ directory: String, _ folder: String) {
            guard listings[directory]?.contains(folder) == true else { return }
            let path = directory + "/" + folder
            if seen.insert(path).inserted { found.append(path) }
        }
        for name in names {
            let folders = Self.dropInFolders(of: name)
            for directory in directories { for folder in folders { add(directory, folder) } }
        }
        for directory in directories { add(directory, UnitName.suffix.dropFirst() + ".d") }
        return found
    }

    /// `a-b@i.task.d`, `a-b@.task.d`, `a-.task.d`, `a-@i.task.d`, `a-@.task.d` for `a-b@i.task`: systemd's order.
    static func dropInFolders(of name: UnitName) -> [String] {
        var folders: [String] = []
        var shorter: UnitName? = name
        while let current = shorter {
            folders.append(current.text + ".d")
            if current.kind == .instance, let template = current.template {
                folders.append(template.text + ".d")
                // A template's own prefixes have no @: that is how systemd builds them.
                var plain = prefixed(template, instance: nil)
                while let next = plain {
                    folders.append(next.text + ".d")
                    plain = prefixed(next, instance: nil)
                }
            }
            shorter = prefixed(current, instance: current.instance)
        }
        return folders
    }

    /// `a-.task` for `a-b.task`; `nil` when no dash is left. A dash at the end was put there by the step before.
    private static func prefixed(_ name: UnitName, instance: String?) -> UnitName? {
        var prefix = Array(name.prefix.utf8)
        if prefix.last == UInt8(ascii: "-") { prefix.removeLast() }
        guard let dash = prefix.lastIndex(of: UInt8(ascii: "-")), dash > 0 else { return nil }
        let shorter = String(decoding: prefix[...dash], as: UTF8.self)
        return try? UnitName(shorter + (instance.map { "@\($0)" } ?? "") + UnitName.suffix)
    }

    private func isDropIn(_ file: String) -> Bool {
        file.utf8.reversed().starts(with: ".conf".utf8.reversed()) && file.utf8.first != UInt8(ascii: ".")
    }
}
