import UnitFile

/// What systemd makes of a unit's assignments, for `faf analyze dropin`: a value that cannot be read leaves the earlier
/// one. The settings that runs are made of are read elsewhere, and strictly.
struct SettingsBySystemd {
    let unit: UnitName
    let context: SpecifierContext
    var warnings: [ValueError] = []

    private var values: [String: AnalyzeValue] = [:]
    /// Assignments of Environment= since the last reset.
    private var environment: [String] = []
    private var lists: [String: [String]] = [:]
    private var commands: [String: [ExecCommand]] = [:]

    init(unit: UnitName, context: SpecifierContext) {
        self.unit = unit
        self.context = context
    }

    /// Throws for a command that cannot be read, which no unit survives; everything else is at most a warning.
    mutating func apply(_ assignment: Assignment) throws(ValueError) {
        guard assignment.section == Self.section(of: assignment.key) else { return }
        let key = assignment.key
        let text = assignment.value
        if key.hasPrefix("Exec") {
            if text.isEmpty {
                commands[key] = []
            } else {
                let reading = try CommandLine.read(text, specifiers: expanded)
                commands[key, default: []] += reading.commands
                warnings += reading.warnings + reading.leftOut
            }
            return
        }
        do throws(ValueError) {
            try applyValue(key, text)
        } catch {
            warnings.append(error)
        }
    }

    private mutating func applyValue(_ key: String, _ text: String) throws(ValueError) {
        switch key {
        case "Environment":
            environment = text.isEmpty ? [] : environment + [text]
        case "EnvironmentFile":
            lists[key] = text.isEmpty ? [] : lists[key, default: []] + [try expanded(text)]
        case _ where Self.lists.contains(key):
            var words: [String] = []
            for word in try Value.words(text) { words.append(try expanded(word)) }
            lists[key] = text.isEmpty ? [] : lists[key, default: []] + words
        case _ where Self.dependencies.contains(key):
            // Drop-ins can only add to these: an empty assignment changes nothing.
            for word in try Value.words(text) {
                let name = try expanded(word)
                if !lists[key, default: []].contains(name) { lists[key, default: []].append(name) }
            }
        case "TimeoutSec":
            try applyValue("TimeoutStartSec", text)
            try applyValue("TimeoutStopSec", text)
        default:
            values[key] = text.isEmpty ? nil : try single(key, text)
        }
    }

    private func single(_ key: String, _ text: String) throws(ValueError) -> AnalyzeValue {
        switch key {
        case "TimeoutStartSec", "TimeoutStopSec", "JobTimeoutSec":
            return Analyze.value(of: try Value.timeSpan(text, zeroIsInfinity: true))
        case "RestartSec", "WatchdogSec", "RuntimeMaxSec", "RuntimeRandomizedExtraSec", "TimeoutAbortSec",
            "RetrySec":
            return Analyze.value(of: try Value.timeSpan(text))
        case "SendSIGKILL", "SendSIGHUP", "NoNewPrivileges", "RemainAfterExit", "PrivateTmp":
            return .bool(try Value.boolean(text))
        case "KillSignal", "RestartKillSignal", "FinalKillSignal", "WatchdogSignal":
            return .integer(try Value.signal(text))
        case "MemoryMax", "MemoryHigh", "TasksMax":
            return text == "infinity" ? .string(text) : .integer(try Value.size(text))
        case "Nice": return .integer(try Value.nice(text))
        case "UMask": return .integer(try Value.umask(text))
        default: return .string(try expanded(text))
        }
    }

    private func expanded(_ text: String) throws(ValueError) -> String {
        try Specifiers.expand(text, unit: unit, context: context)
    }

    /// A unit needs a command, and only Type=oneshot may have several.
    var canRun: Bool {
        let count = commands["ExecStart", default: []].count
        return count == 1 || count > 1 && values["Type"] == .string("oneshot")
    }

    /// `null`: the default.
    mutating func value(of key: String) -> AnalyzeValue {
        if key == "Description" { return values[key] ?? .string(unit.text) }
        if key == "Environment" {
            let (assignments, problems) = Value.environment(environment, expand: expanded)
            warnings += problems
            return .strings(assignments)
        }
        if key.hasPrefix("Exec") { return .array(commands[key, default: []].map(Analyze.value)) }
        if key == "EnvironmentFile" || Self.lists.contains(key) || Self.dependencies.contains(key) {
            return .strings(lists[key, default: []])
        }
        return values[key] ?? .null
    }

    private static func section(of key: String) -> String {
        key == "Description" || key == "Documentation" || key.hasPrefix("Condition") || dependencies.contains(key)
            ? "Unit" : "Task"
    }

    private static let lists: Set = [
        "Documentation", "PassEnvironment", "SupplementaryGroups", "AllowUsers", "AllowGroups", "AllowedDirectories",
        "SuccessExitStatus",
    ]

    private static let dependencies: Set = [
        "After", "Before", "Wants", "Requires", "BindsTo", "Conflicts", "OnSuccess", "OnFailure",
    ]
}
