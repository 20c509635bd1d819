/// Settings that are refused for one reason with one remedy.
struct RefusedGroup: Sendable {
    let settings: [Setting]

    static func planned(
        _ section: String, _ subject: String, _ keys: [(String, SettingType)], remedy: String
    ) -> RefusedGroup {
        RefusedGroup(
            settings: keys.map { key, type in
                Setting(
                    refused: section, key, type, .planned,
                    reason: "not supported yet (\(subject)); it would not be enforced", remedy: remedy)
            })
    }

    static func foreign(_ section: String, _ keys: [String], reason: String, remedy: String) -> RefusedGroup {
        RefusedGroup(
            settings: keys.map { key in
                Setting(
                    refused: section, key, .text, .foreign, reason: "a setting of systemd, not of faf: \(reason)",
                    remedy: remedy)
            })
    }
}
