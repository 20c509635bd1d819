import TaskModel

/// Checks unit files for `faf verify`: by the very code that loads them.
public enum UnitVerifier {
    /// One file alone. A name that ends in `.conf` is a drop-in: only its lines are checked.
    public static func verify(path: String, bytes: [UInt8], context: SpecifierContext = .init()) -> [Diagnostic] {
        // The loader builds paths of a directory and a name; what is reported is the path as it was given.
        let (directory, file) = split(path)
        let place = directory + "/" + file
        return verify(path: place, in: OneFile(path: place, contents: bytes), context: { _ in context }).map { found in
            var found = found
            if found.path == place { found.path = path }
            return found
        }
    }

    /// A file with the drop-ins beside it.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - installed: where other tasks are, beside the file's own directory; `nil`: those that it names are not looked
    ///     for.
    public static func verify(
        path: String, in fileSystem: some UnitFileSystem, installed: [String]? = nil,
        context: (String?) -> SpecifierContext
    ) -> [Diagnostic] {
        let (directory, file) = split(path)
        if file.utf8.hasSuffix(".conf") { return dropIn(path, directory, fileSystem, context) }
        let name: UnitName
        do throws(ValueError) {
            name = try UnitName(file)
            try TaskName.check(name)
        } catch {
            return [Diagnostic(.error, path: path, message: error.message, remedy: error.remedy)]
        }
        let loaded = UnitIndex(of: [directory], in: fileSystem).load(name)
        switch loaded.loadState {
        case .notFound: return [missing(path)]
        case .masked:
            return [
                Diagnostic(
                    .warning, path: path, message: "the file is empty: it masks the task",
                    remedy: "write a [Task] section with ExecStart=, or leave it so if that is meant")
            ]
        case .loaded, .badSetting, .error:
            let reading = UnitReading(loaded, context: context)
            guard let installed, let unit = reading.unit, unit.settings.followUps != FollowUps() else {
                return reading.entry.diagnostics
            }
            let index = UnitIndex(of: [directory] + installed.filter { $0 != directory }, in: fileSystem)
            return reading.entry.diagnostics + missingFollowUps(of: unit, loaded, in: index)
        }
    }

    private static func dropIn(
        _ path: String, _ directory: String, _ fileSystem: some UnitFileSystem,
        _ context: (String?) -> SpecifierContext
    ) -> [Diagnostic] {
        let folder = split(directory).file
        // For whom the drop-in is: a type-wide one, or one that lies elsewhere, is checked as any task's.
        let owner = folder.utf8.hasSuffix(".d") ? String(decoding: folder.utf8.dropLast(2), as: UTF8.self) : ""
        guard let name = (try? UnitName(owner)) ?? (try? UnitName("any" + UnitName.suffix)) else { return [] }
        do throws(UnitFileSystemError) {
            guard let bytes = try fileSystem.bytes(of: path) else { return [missing(path)] }
            return UnitInterpreter.lines(of: bytes, at: path, unit: name, context: context)
        } catch {
            return [Diagnostic(.error, path: error.path, message: error.message, remedy: error.remedy)]
        }
    }

    private static func missing(_ path: String) -> Diagnostic {
        Diagnostic(.error, path: path, message: "there is no such file", remedy: "check the path")
    }

    private static func split(_ path: String) -> (directory: String, file: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        return (String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
    }

    /// A file system with nothing else in it.
    private struct OneFile: UnitFileSystem {
        let path: String
        let contents: [UInt8]

        func names(in directory: String) -> [String]? {
            let (own, file) = split(path)
            return directory == own ? [file] : nil
        }

        func bytes(of path: String) -> [UInt8]? { path == self.path ? contents : nil }
        func linkTarget(of path: String) -> String? { nil }
    }
}
