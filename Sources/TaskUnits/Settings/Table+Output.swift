import TaskModel

extension SettingTable {
    /// [Task]: where the script's output goes.
    static let output: [Setting] = [
        .one(
            "Task", "StandardOutput", .output, \.standardOutput,
            "Where standard output goes; unset: to the journal, or a file for each run where there is none.",
            show: SettingText.output
        ) { text, context throws(ValueError) in try OutputTarget.parse(text, context) },

        .one(
            "Task", "StandardError", .output, \.standardError,
            "Where standard error goes; unset or `inherit`: where standard output goes.", show: SettingText.output
        ) { text, context throws(ValueError) in try OutputTarget.parse(text, context) },

        .one(
            "Task", "SyslogIdentifier", .text, \.syslogIdentifier,
            "What output in the journal is marked with; unset: the task's name.", show: { $0 ?? "" }
        ) { text, context throws(ValueError) in try OutputTarget.identifier(try context.expand(text)) },

        .one(
            "Task", "SyslogLevelPrefix", .boolean, \.syslogLevelPrefix,
            "In the journal, `<N>` at the beginning of a line of output is its priority (sd-daemon(3)).",
            show: { SettingText.boolean($0 ?? true) }
        ) { text, _ throws(ValueError) in try Value.boolean(text) },
    ]
}

/// `StandardOutput=` and `StandardError=`.
enum OutputTarget {
    static func parse(_ text: String, _ context: SettingContext) throws(ValueError) -> TaskSettings.Output {
        switch text {
        case "inherit": return .inherit
        case "null": return .null
        case "journal": return .journal
        case "tty", "socket":
            throw ValueError(message: "a script has no \(text)", remedy: "write journal, null or append:PATH")
        case "journal+console", "kmsg", "kmsg+console", "syslog", "syslog+console":
            throw ValueError(
                message: "\(text) is not supported",
                remedy: "write journal; journald forwards to the console and syslog")
        default: break
        }
        if let path = text.dropping(prefix: "file:") { return .file(try absolute(path, context)) }
        if let path = text.dropping(prefix: "append:") { return .append(try absolute(path, context)) }
        if let path = text.dropping(prefix: "truncate:") { return .truncate(try absolute(path, context)) }
        if text.hasPrefix("fd:") {
            throw ValueError(message: "a script is given no descriptors", remedy: "write journal, null or append:PATH")
        }
        throw ValueError(
            message: "\(quoted(text)) is no place for output",
            remedy: "write journal, null, inherit, file:PATH, append:PATH or truncate:PATH")
    }

    /// One line of journald's stream protocol.
    static func identifier(_ text: String) throws(ValueError) -> String {
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw ValueError(message: "an identifier cannot hold control characters", remedy: "remove them")
        }
        if text.utf8.count > 255 {
            throw ValueError(message: "the identifier is too long", remedy: "use at most 255 bytes")
        }
        return text
    }

    private static func absolute(_ text: String, _ context: SettingContext) throws(ValueError) -> String {
        try UnitPath.absolute(try context.expand(text))
    }
}
