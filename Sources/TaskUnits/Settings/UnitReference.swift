import TaskModel

/// The reference of settings for people, made from the table, so that it says what the code does.
public enum UnitReference {
    /// Markdown: a table of settings for each section, then what is refused and why.
    public static func markdown() -> String {
        var text =
            "# Settings of task units\n\nAn empty assignment goes back to the default; in a list each line adds.\n"
        for section in SettingTable.sections {
            let settings = SettingTable.all.filter { $0.section == section && $0.status == .enforced }
            if section == "Parameters" { text += parameters }
            if settings.isEmpty { continue }
            text += "\n## [\(section)]\n\n| Setting | Value | Default | Meaning |\n|---|---|---|---|\n"
            for setting in settings {
                let cells = [
                    "`\(setting.key)=`", "\(setting.type)" + (setting.isList ? ", a list" : ""),
                    setting.defaultText.isEmpty ? "" : "`\(setting.defaultText)`", setting.documentation,
                ]
                text += "| " + cells.map(cell).joined(separator: " | ") + " |\n"
            }
        }
        text += refused("Not supported yet", .planned, "Part of faf's design; a unit that has one of them is refused.")
        text += refused("Not part of faf", .foreign, "systemd's; a unit that has one of them is refused.")
        return text
    }

    private static let types = ParameterDeclaration.Kind.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")

    private static let parameters = """

        ## [Parameters]

        Each line declares a parameter: `NAME=TYPE [required] [default=VALUE]`, quoted as words are:
        `label=string "default=a b"`. TYPE is one of \(types).
        A script gets `--NAME=VALUE` for each parameter that is given or has a default, sorted by name. Once one is
        declared, only declared ones are taken. A drop-in may declare a parameter anew; an empty assignment there removes
        it.

        """

    private static func refused(_ title: String, _ status: Setting.Status, _ introduction: String) -> String {
        var text = "\n## \(title)\n\n\(introduction)\n\n| Settings | Reason | Instead |\n|---|---|---|\n"
        var groups: [(section: String, reason: String, remedy: String, keys: [String])] = []
        for setting in SettingTable.all where setting.status == status {
            if let last = groups.indices.last, groups[last].section == setting.section,
                groups[last].reason == setting.documentation, groups[last].remedy == setting.remedy
            {
                groups[last].keys.append(setting.key)
            } else {
                groups.append((setting.section, setting.documentation, setting.remedy, [setting.key]))
            }
        }
        for group in groups {
            let keys = "[\(group.section)] " + group.keys.map { "`\($0)=`" }.joined(separator: " ")
            text += "| " + [keys, group.reason, group.remedy].map(cell).joined(separator: " | ") + " |\n"
        }
        return text
    }

    private static func cell(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { cell, scalar in
            if scalar == "|" { cell += "\\" }
            cell.unicodeScalars.append(scalar)
        }
    }
}
