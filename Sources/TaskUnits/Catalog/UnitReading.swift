/// A loaded unit, read: as it is listed, and as it can be fired.
struct UnitReading: Sendable {
    let entry: CatalogEntry
    let unit: TaskUnit?

    init(_ loaded: LoadedUnit, context: (String?) -> SpecifierContext) {
        let name = loaded.name
        let path = loaded.fragmentPath ?? name.text
        var diagnostics: [Diagnostic]
        var read: InterpretedUnit?
        switch loaded.loadState {
        case .masked: diagnostics = []
        case .loaded, .badSetting:
            let interpreted = InterpretedUnit(loaded) { user in
                var context = context(user)
                context.unitPath = context.unitPath ?? loaded.fragmentPath
                return context
            }
            read = interpreted
            diagnostics = interpreted.diagnostics
        case .error: diagnostics = loaded.problems.map(Diagnostic.init)
        case .notFound:
            diagnostics = [
                Diagnostic(
                    .error, path: path, message: "the link leads to no unit file",
                    remedy: "remove the link, or put the unit file where it leads to")
            ]
        }
        do throws(ValueError) { try TaskName.check(name) } catch {
            diagnostics.append(Diagnostic(.error, path: path, message: error.message, remedy: error.remedy))
        }
        let isUsable = !diagnostics.containsError && loaded.loadState == .loaded
        let state: CatalogEntry.State =
            if loaded.loadState == .masked {
                .masked
            } else if !isUsable {
                .badSetting
            } else {
                name.isTemplate ? .template : .loaded
            }
        let settings = state == .loaded ? read?.settings : nil
        let sources = loaded.sources.map { UnitSource(path: $0.path, text: $0.text) }
        entry = CatalogEntry(
            name: name.task, state: state, path: path, description: read?.description ?? "",
            diagnostics: diagnostics, settings: settings, sources: sources, effective: read?.effective ?? [])
        unit = settings.map {
            TaskUnit(
                name: name.task, settings: $0, diagnostics: diagnostics, sources: sources,
                effective: read?.effective ?? [])
        }
    }
}
