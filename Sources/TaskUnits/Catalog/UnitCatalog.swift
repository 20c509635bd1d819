/// All tasks that there are units for, as one reading of the unit directories found them.
///
/// A value: a reload makes a new one, and whoever holds the old one keeps what it has. Later lookups, also of instances
/// that nobody has asked for before, read no file.
public struct UnitCatalog: Sendable {
    /// What a name stands for.
    public enum Lookup: Sendable {
        case found(TaskUnit)
        /// With names that may have been meant.
        case notFound(near: [String])
        case masked
        /// At least one error.
        case bad([Diagnostic])
        /// Only its instances can be fired.
        case template
        /// No task can have that name.
        case badName(ValueError)
    }

    /// By the bytes of their names; aliases are not listed.
    public let tasks: [CatalogEntry]
    /// Directories and files that belong to no task.
    public let problems: [Diagnostic]
    /// Everything that is wrong, for the log and for whoever asked for the reload.
    public var diagnostics: [Diagnostic] { problems + tasks.flatMap(\.diagnostics) }

    private let index: UnitIndex<UnitSnapshot>
    private let context: @Sendable (String?) -> SpecifierContext
    private let units: [String: TaskUnit]

    /// Reads the directories, the first of which wins.
    ///
    /// - Parameter context: what specifiers stand for, for the user that is written in `User=` (`nil`: the supervisor's
    ///   own). Called once for each unit, and again for each lookup of an instance.
    public static func load(
        directories: [String], fileSystem: some UnitFileSystem,
        context: @escaping @Sendable (String?) -> SpecifierContext
    ) -> UnitCatalog {
        UnitCatalog(UnitSnapshot(of: directories, in: fileSystem), directories, context)
    }

    private init(
        _ snapshot: UnitSnapshot, _ directories: [String], _ context: @escaping @Sendable (String?) -> SpecifierContext
    ) {
        index = UnitIndex(of: directories, in: snapshot)
        self.context = context
        var tasks: [CatalogEntry] = []
        var units: [String: TaskUnit] = [:]
        for name in index.names.compactMap({ try? UnitName($0) }) {
            let loaded = index.load(name)
            if loaded.name != name { continue }
            let reading = UnitReading(loaded, context: context)
            tasks.append(reading.entry)
            if let unit = reading.unit { units[reading.entry.name] = unit }
        }
        self.tasks = tasks.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.units = units
        problems = (index.problems.map(Diagnostic.init) + Self.strayFiles(index)).sorted()
    }

    /// What is to be run when somebody fires `name` (`transcode`, `resize@thumb`; `.task` may stand behind it).
    public func task(named name: String) -> Lookup {
        let unitName: UnitName
        do throws(ValueError) { unitName = try TaskName.unit(name) } catch { return .badName(error) }
        if let unit = units[unitName.task] { return .found(unit) }
        if unitName.isTemplate, index.entries[unitName] != nil {
            return index.load(unitName).loadState == .masked ? .masked : .template
        }
        let loaded = index.load(unitName)
        switch loaded.loadState {
        case .notFound where index.entries[unitName] == nil: return .notFound(near: near(unitName))
        case .masked: return .masked
        case .loaded, .notFound, .badSetting, .error:
            let reading = UnitReading(loaded, context: context)
            return reading.unit.map(Lookup.found) ?? .bad(reading.entry.diagnostics)
        }
    }

    /// The listed entry of a task or a template; `nil` for instances and aliases.
    public func entry(named name: String) -> CatalogEntry? {
        guard let unitName = try? TaskName.unit(name) else { return nil }
        return tasks.first { $0.name == unitName.task }
    }

    private func near(_ name: UnitName) -> [String] {
        let names = tasks.filter { $0.state != .masked }.map(\.name)
        guard let instance = name.instance else { return NearNames.of(name.task, in: names) }
        let templates = names.filter { $0.utf8.hasSuffix("@") }.map { String($0.dropLast()) }
        return NearNames.of(name.prefix, in: templates).map { "\($0)@\(instance)" } + NearNames.of(name.task, in: names)
    }

    /// Files that were meant to be units and have no unit's name.
    private static func strayFiles(_ index: UnitIndex<UnitSnapshot>) -> [Diagnostic] {
        var found: [Diagnostic] = []
        for (directory, names) in index.listings {
            for name in names where name.utf8.hasSuffix(UnitName.suffix) {
                do throws(ValueError) { _ = try UnitName(name) } catch {
                    found.append(
                        Diagnostic(
                            .error, path: directory + "/" + name, message: error.message, remedy: error.remedy))
                }
            }
        }
        return found
    }
}
