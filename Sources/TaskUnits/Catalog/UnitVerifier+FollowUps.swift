import TaskModel
import UnitFile

extension UnitVerifier {
    /// Tasks that the unit has fired and that there are no units of. fafd fires what is there when the time comes, so it is
    /// no error.
    static func missingFollowUps(
        of unit: TaskUnit, _ loaded: LoadedUnit, in index: UnitIndex<some UnitFileSystem>
    ) -> [Diagnostic] {
        var found: [Diagnostic] = []
        for event in RunTrigger.Event.allCases {
            for task in unit.settings.followUps[event] {
                guard let name = try? UnitName(task + UnitName.suffix), index.load(name).loadState == .notFound else {
                    continue
                }
                let lines = loaded.assignments.filter {
                    $0.assignment.section == "Unit" && $0.assignment.key == event.rawValue
                }
                // Specifiers may have made the name: then the last line stands for all.
                guard let line = lines.last(where: { $0.assignment.value.contains(task) }) ?? lines.last else {
                    continue
                }
                let near = NearNames.of(
                    task, in: index.names.map { String($0.dropLast(UnitName.suffix.utf8.count)) })
                let places = index.directories.joined(separator: ", ")
                found.append(
                    Diagnostic(
                        .warning, path: line.path, line: line.assignment.keyPosition.line,
                        column: line.assignment.keyPosition.column, section: "Unit", key: event.rawValue,
                        message: "there is no task \(task) in \(places)",
                        remedy: near.isEmpty
                            ? "write its unit, or nothing is fired" : "did you mean \(near.joined(separator: ", "))?"))
            }
        }
        return found
    }
}
