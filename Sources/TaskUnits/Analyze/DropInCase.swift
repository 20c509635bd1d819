import UnitFile

/// The kind `dropin`: a unit from files given in the case, and what becomes of some of its settings by systemd's rules.
struct DropInCase {
    private let unit: LoadedUnit
    private let keys: [String]
    private let context: SpecifierContext

    init(_ input: AnalyzeCase, _ context: SpecifierContext) throws(ValueError) {
        guard case .object(let members) = input.value["files"] else {
            throw input.missing("files", "an object of texts by path")
        }
        var files: [String: UnitFilesInMemory.Node] = [:]
        for member in members {
            if let text = member.value.text {
                files[member.name] = .file(Array(text.utf8))
            } else if let target = member.value["symlink"]?.text {
                files[member.name] = .link(target)
            } else if let bytes = member.value["base64"]?.text {
                files[member.name] = .file(try AnalyzeCase.base64(bytes))
            } else {
                throw input.missing("files", "an object of texts, {\"symlink\": …} or {\"base64\": …} by path")
            }
        }
        keys = input.value["want"].map(\.isNull) == false ? try input.texts("want") : []
        unit = UnitLoader.load(try input.unit(), from: try input.texts("dirs"), in: UnitFilesInMemory(files))
        var context = context
        context.unitPath = unit.fragmentPath
        self.context = context
    }

    /// `load_state`, and the wanted settings of a loaded unit.
    func value(_ warnings: inout [String]) throws(ValueError) -> AnalyzeValue {
        warnings += unit.problems.map { "\($0.path):\(Analyze.describe($0.problem))" }
        var settings = SettingsBySystemd(unit: unit.name, context: context)
        var state = unit.loadState
        if state == .loaded {
            for (index, file) in unit.files.enumerated() {
                for assignment in file.file.assignments {
                    do throws(ValueError) {
                        try settings.apply(assignment)
                    } catch {
                        settings.warnings.append(error)
                        // A bad command in the unit's own file decides; in a drop-in the rest of it is skipped.
                        if index == 0 { state = .badSetting }
                        break
                    }
                }
            }
            if !settings.canRun { state = .badSetting }
        }
        warnings += settings.warnings.map(Analyze.describe)
        var members: [AnalyzeValue.Member] = [.init("load_state", .string(state.rawValue))]
        if state == .loaded {
            for key in keys where key != "load_state" { members.append(.init(key, settings.value(of: key))) }
        }
        return .object(members)
    }
}
