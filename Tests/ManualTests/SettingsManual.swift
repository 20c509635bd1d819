import TaskModel
import TaskUnits

/// The part of faf.task(5) that is made from the table of settings, in man(7) macros.
enum SettingsManual {
    static var text: String {
        var lines: [String] = []
        for section in ["Unit", "Task"] {
            lines += [".SH THE [\(section.uppercased())] SECTION"]
            for setting in SettingTable.all where setting.section == section && setting.status == .enforced {
                lines += entry(setting)
            }
        }
        lines += refused("SETTINGS THAT ARE NOT SUPPORTED YET", .planned)
        lines += refused("SETTINGS OF SYSTEMD THAT FAF DOES NOT HAVE", .foreign)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func entry(_ setting: Setting) -> [String] {
        var kind = "\(setting.type)" + (setting.isList ? "; a list: each line adds" : "")
        if !setting.defaultText.isEmpty { kind += "; default `\(setting.defaultText)`" }
        let name = "\\fB\(escape(setting.key))=\\fR"
        return [".TP", name, inline(setting.documentation), ".br", "Value: \(inline(kind))."]
    }

    /// Neighbours with the same reason share an entry.
    private static func refused(_ title: String, _ status: Setting.Status) -> [String] {
        var lines = [".SH \(title)", "A unit that has one of these is refused, so that nobody relies on it in vain."]
        let settings = SettingTable.all.filter { $0.status == status }
        var index = settings.startIndex
        while index < settings.endIndex {
            let first = settings[index]
            let end =
                settings[index...].firstIndex {
                    ($0.section, $0.documentation, $0.remedy) != (first.section, first.documentation, first.remedy)
                } ?? settings.endIndex
            let keys = settings[index..<end].map { "\\fB\(escape($0.key))=\\fR" }.joined(separator: ", ")
            let reason = sentence(first.documentation) + " " + sentence(first.remedy)
            lines += [".TP", "[\(first.section)] \(keys)", reason]
            index = end
        }
        return lines
    }

    private static func sentence(_ text: String) -> String {
        if text.isEmpty { return "" }
        let inlined = inline(text.prefix(1).uppercased() + text.dropFirst())
        return text.hasSuffix(".") ? inlined : inlined + "."
    }

    /// Text with `code` in it.
    private static func inline(_ text: String) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        let line = parts.enumerated().map { index, part in
            index % 2 == 1 ? "\\fB\(escape(String(part)))\\fR" : escape(String(part))
        }.joined()
        return line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "−": result += "\\-"
            case "…": result += "\\&..."
            case "'": result += "\\(aq"
            case "\"": result += "\\(dq"
            case "\n": result += " "
            default: result.append(character)
            }
        }
        return result
    }
}
