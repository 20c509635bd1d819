public import TaskModel

/// The one table of settings: what a unit may say, what it means, what faf does not enforce (yet).
public enum SettingTable {
    /// In the order of the reference.
    public static let all: [Setting] =
        unit + process + output + rights + sandbox + credentials + parameters + time + stopping + resources + sampled
        + retries + plannedSettings + foreignSettings

    /// Sections that a task unit may have.
    static let sections = ["Unit", "Task", "Parameters", "Schedule", "Worker"]

    /// systemd's sections: a setting of a task that stands in one of them was meant for the task.
    static let systemdSections: Set<String> = [
        "Service", "Install", "Timer", "Socket", "Path", "Scope", "Slice", "Mount", "Automount", "Swap",
    ]

    static func setting(_ section: String, _ key: String) -> Setting? {
        if let found = index[Name(section: section, key: key)] { return found }
        // Conditions that a newer systemd brings are conditions still.
        if section == "Unit", key.hasPrefix("Condition") || key.hasPrefix("Assert") {
            return index[Name(section: "Unit", key: "ConditionPathExists")]
        }
        return nil
    }

    /// `RuntimeMaxSec=1h`: a setting of [Task] as a run has it; `nil`: there is no such setting.
    public static func assignment(_ key: String, _ settings: TaskSettings) -> String? {
        guard let setting = setting("Task", key) else { return nil }
        var draft = SettingsDraft()
        draft.settings = settings
        draft.timeoutStart = settings.timeoutStart
        return "\(key)=\(setting.effect.show(draft))"
    }

    /// The section that a key belongs to, if it is a known one.
    static func section(of key: String) -> String? { sectionsByKey[key] }

    static func keys(of section: String) -> [String] { all.filter { $0.section == section }.map(\.key) }

    private struct Name: Hashable {
        let section: String
        let key: String
    }

    private static let index = Dictionary(
        all.map { (Name(section: $0.section, key: $0.key), $0) }, uniquingKeysWith: { first, _ in first })

    private static let sectionsByKey = Dictionary(
        all.map { ($0.key, $0.section) }, uniquingKeysWith: { first, _ in first })
}
