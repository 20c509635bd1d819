import FafAPI
import FireAndForget
import Glibc
import TaskHost
import TaskModel
import TaskUnits

/// A task's unit, interpreted on this side.
enum LocalTask {
    /// The unit that fafd has loaded; without fafd the one in the unit directories; for a path that file.
    static func find(_ task: String, _ client: Client, isUserMode: Bool) throws -> TaskUnit {
        if task.utf8.contains(UInt8(ascii: "/")) {
            let path = FilePath.absolute(task)
            return try load(
                named: String(path.split(separator: "/").last ?? ""), [FilePath.directory(of: path)], LocalUnitFiles(),
                isUserMode)
        }
        do {
            let reply = try client.task(TaskName.withoutSuffix(task))
            var files: [String: UnitFilesInMemory.Node] = [:]
            for source in reply.sources { files[source.path] = .file(Array(source.text.utf8)) }
            // In the order in which they apply: only those that won are among them, so one order is as good as another.
            var directories: [String] = []
            for (index, source) in reply.sources.enumerated() {
                let holder = FilePath.directory(of: source.path)
                let directory = index == 0 ? holder : FilePath.directory(of: holder)
                if !directories.contains(directory) { directories.append(directory) }
            }
            return try load(named: reply.task.name, directories, UnitFilesInMemory(files), isUserMode)
        } catch let error as FafError where error.code == .noDaemon {
            guard let directories = LocalContext.directories(isUserMode: isUserMode) else {
                throw Failure(.other, "neither HOME nor the XDG variables say where units are", remedy: "set HOME")
            }
            return try load(
                named: TaskName.withoutSuffix(task), directories.units, LocalUnitFiles(), isUserMode)
        }
    }

    private static func load(
        named name: String, _ directories: [String], _ files: some UnitFileSystem, _ isUserMode: Bool
    ) throws(Failure) -> TaskUnit {
        let context = LocalContext.make(isUserMode: isUserMode)
        let catalog = UnitCatalog.load(directories: directories, fileSystem: files) { context.context(user: $0) }
        switch catalog.task(named: name) {
        case .found(let unit):
            return unit
        case .notFound(let near):
            throw Failure(
                .notFound, "there is no task \(name) in \(directories.joined(separator: ", "))",
                remedy: near.isEmpty ? "write its unit file there" : "did you mean \(near.joined(separator: ", "))?")
        case .masked:
            throw Failure(.data, "the unit of \(name) is masked", remedy: "remove the mask")
        case .bad(let problems):
            throw Failure(
                .data, "the unit of \(name) cannot be used:\n" + problems.map(\.description).joined(separator: "\n"),
                remedy: "mend it; faf verify shows every problem")
        case .template:
            throw Failure(
                .data, "\(name) is a template, which cannot be run itself", remedy: "name an instance: \(name)INSTANCE")
        case .badName(let error):
            throw Failure(.notFound, "this is no name of a task: \(error.message)", remedy: error.remedy)
        }
    }
}
