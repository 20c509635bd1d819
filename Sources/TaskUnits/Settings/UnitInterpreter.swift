import TaskModel
import UnitFile

/// Goes through the lines of a unit, finds each in the table and takes its value; everything that is wrong is reported,
/// not only the first.
struct UnitInterpreter {
    private(set) var draft = SettingsDraft()
    private(set) var diagnostics: [Diagnostic] = []

    private let unit: LoadedUnit
    /// Meaning of specifiers for the run's user, and in `User=` itself.
    private let specifiers: (run: SpecifierContext, user: SpecifierContext)
    /// The lines that a value comes from, by key: one for a single value, several for a list.
    private var lines: [String: [SourcedAssignment]] = [:]
    private var refusedKeys: Set<String> = []
    private var unknownSections: Set<String> = []

    init(_ unit: LoadedUnit, context: (String?) -> SpecifierContext) {
        self.unit = unit
        let base = context(nil)
        let user = Self.user(of: unit, base)
        specifiers = (user == nil ? base : context(user), base)
    }

    mutating func read() {
        diagnostics += unit.problems.map(Diagnostic.init)
        for line in unit.assignments { read(line) }
        finish()
    }

    /// What is wrong in the lines of a drop-in by itself, without the unit that it is for.
    static func lines(
        of bytes: [UInt8], at path: String, unit name: UnitName, context: (String?) -> SpecifierContext
    ) -> [Diagnostic] {
        let (file, failure) = UnitFile.readingPrefix(of: bytes)
        let problems = (file.warnings + [failure].compactMap(\.self)).map { SourcedProblem(path: path, problem: $0) }
        let unit = LoadedUnit(
            name: name, loadState: .loaded, fragmentPath: path, dropInPaths: [],
            files: [LoadedFile(path: path, bytes: bytes, file: file)], problems: problems)
        var interpreter = UnitInterpreter(unit, context: context)
        interpreter.diagnostics += problems.map(Diagnostic.init)
        for line in unit.assignments { interpreter.read(line) }
        return interpreter.diagnostics.sorted()
    }

    /// `User=` decides what specifiers mean in all other lines, so it is resolved first.
    private static func user(of unit: LoadedUnit, _ base: SpecifierContext) -> String? {
        let line = unit.assignments.last { $0.assignment.section == "Task" && $0.assignment.key == "User" }
        guard let line, !line.assignment.value.isEmpty else { return nil }
        let context = SettingContext(unit: unit.name, specifiers: base, path: line.path)
        do throws(ValueError) {
            return try AccountName.check(try context.expand(line.assignment.value), "user")
        } catch {
            // The line itself is reported when its turn comes.
            return nil
        }
    }

    // MARK: One line

    private mutating func read(_ line: SourcedAssignment) {
        let assignment = line.assignment
        if assignment.section == "Parameters" { return declare(line) }
        if isPrivate(assignment.section) || isPrivate(assignment.key) { return }
        guard let setting = setting(for: line) else { return }
        guard setting.status == .enforced else {
            return report(.error, line, setting.documentation, setting.remedy)
        }
        if assignment.value.isEmpty {
            setting.effect.reset(&draft)
            for key in setting.effect.sets { lines[key] = setting.effect.emptyIsValue ? [line] : nil }
            return
        }
        let context = SettingContext(
            unit: unit.name, specifiers: setting.key == "User" ? specifiers.user : specifiers.run, path: line.path)
        do throws(ValueError) {
            try setting.effect.apply(&draft, assignment.value, context)
        } catch {
            refuse(line, error)
        }
        for problem in draft.furtherProblems { refuse(line, problem) }
        for remark in draft.remarks {
            report(
                .warning, line, remark.message, remark.remedy,
                at: assignment.position(ofUTF8Offset: remark.offset ?? 0))
        }
        draft.furtherProblems = []
        draft.remarks = []
        for key in setting.effect.sets { lines[key] = (setting.isList ? lines[key] ?? [] : []) + [line] }
    }

    /// The row of the table, or `nil` after a report.
    private mutating func setting(for line: SourcedAssignment) -> Setting? {
        let (section, key) = (line.assignment.section, line.assignment.key)
        if let setting = SettingTable.setting(section, key) { return setting }
        let isOurs = SettingTable.sections.contains(section)
        if isOurs || SettingTable.systemdSections.contains(section), let home = SettingTable.section(of: key) {
            guard let setting = SettingTable.setting(home, key), setting.status == .enforced else {
                return SettingTable.setting(home, key)
            }
            report(.error, line, "the setting does not count in [\(section)]", "move it to [\(home)]")
            return nil
        }
        if isOurs {
            let near = NearNames.of(key, in: SettingTable.keys(of: section))
            let remedy = near.isEmpty ? "remove the line" : "did you mean \(near[0])=?"
            report(.warning, line, "unknown setting, ignored", remedy)
        } else if unknownSections.insert("\(line.path)\n\(section)").inserted {
            let near = NearNames.of(section, in: SettingTable.sections)
            let remedy = near.isEmpty ? "remove the section" : "did you mean [\(near[0])]?"
            report(.warning, line, "unknown section [\(section)], ignored", remedy)
        }
        return nil
    }

    private mutating func declare(_ line: SourcedAssignment) {
        let (name, value) = (line.assignment.key, line.assignment.value)
        if isPrivate(name) {
            return report(.warning, line, "names that start with X- are ignored in unit files", "use another name")
        }
        let earlier = draft.declared.firstIndex { $0.declaration.name == name }
        // A drop-in may change or remove what an earlier file declares; within one file two lines are a mistake.
        if let earlier, draft.declared[earlier].path == line.path, !value.isEmpty {
            return report(.error, line, "the parameter is declared twice", "remove one of the lines")
        }
        if value.isEmpty, earlier == nil {
            return report(.error, line, "the parameter has no type", "write \(name)=string, or another type")
        }
        if let earlier { draft.declared.remove(at: earlier) }
        lines["[Parameters]" + name] = nil
        if value.isEmpty { return }
        let context = SettingContext(unit: unit.name, specifiers: specifiers.run, path: line.path)
        do throws(ValueError) {
            let declaration = try ParameterDeclaration.parse(name: name, value: value, context)
            draft.declared.append(.init(declaration: declaration, path: line.path))
            lines["[Parameters]" + name] = [line]
        } catch {
            refuse(line, error)
        }
    }

    private func isPrivate(_ name: String) -> Bool { name.utf8.starts(with: "X-".utf8) }

    // MARK: All lines together

    private mutating func finish() {
        if let command = draft.commands.first, draft.commands.count == 1 { draft.settings.command = command }
        if draft.commands.count > 1 {
            report(
                .error, "ExecStart", "several commands are not supported yet; there are \(draft.commands.count)",
                "keep one: a script can call the others")
        } else if draft.commands.isEmpty, !refusedKeys.contains("ExecStart") {
            report(.error, "ExecStart", "the task has no command", "add ExecStart=/path/of/the/script to [Task]")
        }
        draft.settings.timeoutStart = draft.effectiveTimeoutStart
        if draft.settings.kind == .notify, draft.settings.notifyAccess == .none {
            report(
                .error, "NotifyAccess", "with Type=notify and NotifyAccess=none the task could never say READY=1",
                "remove NotifyAccess=none, or write Type=simple")
        }
        checkTimes(draft.settings)
        checkRetries(draft.settings.retry)
        checkCapabilities(draft.settings.sandbox)
        for quantity in ConditionSettings.Quantity.allCases
        where draft.settings.conditions[quantity].above == nil && draft.settings.conditions[quantity] != .init() {
            report(
                .warning, quantity.setting, "the condition has no limit, so it is not looked at",
                "add \(quantity.setting)=")
        }
        do throws(ValueError) {
            draft.settings.parameters = try draft.parameterPolicy()
        } catch {
            report(.error, "AcceptParameters", error.message, error.remedy)
        }
    }

    private mutating func checkCapabilities(_ sandbox: Sandbox) {
        let beyond = sandbox.ambientCapabilities.intersection(.named).subtracting(sandbox.effectiveBoundingSet)
        if beyond.isEmpty { return }
        report(
            .error, "AmbientCapabilities",
            "\(beyond.names.joined(separator: " ")) is not in the bounding set, so the script cannot have it",
            "add it to CapabilityBoundingSet= (PrivateDevices= takes CAP_MKNOD and CAP_SYS_RAWIO), or remove it here")
    }

    private mutating func checkRetries(_ retry: RetrySettings) {
        let isTriedAgain =
            retry.mode != .no || retry.force != .init()
            || ConditionSettings.Quantity.allCases.contains { draft.settings.conditions[$0].action == .restart }
        if !isTriedAgain, retry != .init(), let key = SettingTable.retries.first(where: { lines[$0.key] != nil })?.key {
            report(
                .warning, key, "nothing is tried again, so this says nothing",
                "add Retry=on-failure, or remove the line")
        }
        if retry.limit == nil, retry.window != nil {
            report(
                .error, "RetryWindowSec", "without a limit there is nothing to count within a time",
                "write RetryLimit= with a number, or remove RetryWindowSec=")
        }
        if let window = retry.window, window <= retry.delay {
            report(
                .warning, "RetryWindowSec", "not longer than RetrySec=, so RetryLimit= is never reached within it",
                "write a longer time span")
        }
        if retry.steps > 0, retry.maxDelay == nil {
            report(.warning, "RetrySteps", "ignored without RetryMaxDelaySec=", "add RetryMaxDelaySec=")
        } else if let longest = retry.maxDelay, retry.steps == 0 {
            report(
                .warning, "RetryMaxDelaySec", "ignored without RetrySteps=",
                longest > retry.delay ? "add RetrySteps=" : "remove the line")
        } else if let longest = retry.maxDelay, longest <= retry.delay {
            report(
                .warning, "RetryMaxDelaySec", "ignored, for it is not longer than RetrySec=",
                "write a longer time span")
        }
    }

    /// Settings that would do nothing, or could not be kept.
    private mutating func checkTimes(_ settings: TaskSettings) {
        if settings.watchdogMicroseconds != nil, settings.notifyAccess == .none {
            report(
                .error, "NotifyAccess", "with WatchdogSec= and NotifyAccess=none the task could never say WATCHDOG=1",
                "remove NotifyAccess=none, or WatchdogSec=")
        }
        if settings.silenceAction == .kill, !settings.sendSIGKILL || settings.killMode == .none {
            report(
                .error, "SilenceAction", "SendSIGKILL=no and KillMode=none forbid what SilenceAction=kill asks for",
                "write SilenceAction=stop, or remove SendSIGKILL=no or KillMode=none")
        }
        if settings.silenceAction != nil, settings.silence?.positiveMicroseconds == nil {
            report(.warning, "SilenceAction", "does nothing without SilenceSec=", "set SilenceSec=")
        }
        if settings.runtimeRandomizedExtra != nil, settings.runtimeMax ?? .infinity == .infinity {
            report(.warning, "RuntimeRandomizedExtraSec", "does nothing without RuntimeMaxSec=", "set RuntimeMaxSec=")
        }
    }

    // MARK: Reports

    private mutating func refuse(_ line: SourcedAssignment, _ error: ValueError) {
        refusedKeys.insert(line.assignment.key)
        // A template's values are complete only with an instance.
        if unit.name.isTemplate, namesInstance(line.assignment.value) { return }
        report(
            .error, line, error.message, error.remedy,
            at: line.assignment.position(ofUTF8Offset: error.offset ?? 0))
    }

    private mutating func report(
        _ severity: Diagnostic.Severity, _ line: SourcedAssignment, _ message: String, _ remedy: String,
        at position: Position? = nil
    ) {
        let position = position ?? line.assignment.keyPosition
        diagnostics.append(
            Diagnostic(
                severity, path: line.path, line: position.line, column: position.column,
                section: line.assignment.section, key: line.assignment.key, message: message, remedy: remedy))
    }

    /// About a setting of [Task] as all lines together make it: at the last of them, or about the file.
    private mutating func report(
        _ severity: Diagnostic.Severity, _ key: String, _ message: String, _ remedy: String
    ) {
        if let line = lines[key]?.last { return report(severity, line, message, remedy) }
        diagnostics.append(
            Diagnostic(
                severity, path: unit.fragmentPath ?? unit.name.description, section: "Task", key: key,
                message: message, remedy: remedy))
    }

    // MARK: What holds

    var effective: [EffectiveSetting] {
        var result: [EffectiveSetting] = []
        for setting in SettingTable.all where setting.status == .enforced && setting.effect.sets.contains(setting.key) {
            let lines = lines[setting.key] ?? []
            func add(_ value: String, _ source: String) {
                result.append(.init(section: setting.section, key: setting.key, value: value, source: source))
            }
            if setting.isList {
                for line in lines { add(shown(line, of: setting), source(line)) }
            } else if let line = lines.last {
                add(unit.name.isTemplate ? line.assignment.value : setting.effect.show(draft), source(line))
            }
            if lines.isEmpty { add(setting.isList ? "" : setting.effect.show(draft), EffectiveSetting.standard) }
        }
        let declarations = draft.declared.map(\.declaration)
        for declaration in declarations.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            let line = lines["[Parameters]" + declaration.name]?.last
            result.append(
                .init(
                    section: "Parameters", key: declaration.name, value: declaration.text,
                    source: line.map(source) ?? EffectiveSetting.standard))
        }
        return result
    }

    private func source(_ line: SourcedAssignment) -> String {
        "\(line.path):\(line.assignment.keyPosition.line)"
    }

    /// A list's line with its specifiers replaced, as far as that is possible.
    private func shown(_ line: SourcedAssignment, of setting: Setting) -> String {
        let value = line.assignment.value
        if unit.name.isTemplate || setting.type == .credentialValue { return value }
        let context = SettingContext(unit: unit.name, specifiers: specifiers.run, path: line.path)
        do throws(ValueError) { return try context.expand(value) } catch { return value }
    }

    private func namesInstance(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        return zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: "%") && "iIfnN".utf8.contains($1) }
    }
}
