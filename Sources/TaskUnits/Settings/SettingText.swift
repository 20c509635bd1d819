import TaskModel

/// Values as an operator would write them, for `faf cat` and the reference.
enum SettingText {
    static func boolean(_ value: Bool) -> String { value ? "yes" : "no" }

    static func timeSpan(_ value: TimeSpan) -> String {
        guard case .microseconds(var rest) = value else { return "infinity" }
        if rest == 0 { return "0" }
        let units: [(String, UInt64)] = [
            ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000),
            ("s", 1_000_000), ("ms", 1000), ("us", 1),
        ]
        var parts: [String] = []
        for (name, length) in units where rest >= length {
            parts.append("\(rest / length)\(name)")
            rest %= length
        }
        return parts.joined(separator: " ")
    }

    static func mode(_ value: UInt16) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }

    static func workingDirectory(_ value: TaskSettings.WorkingDirectory) -> String {
        switch value {
        case .root: "/"
        case .home(let isOptional): isOptional ? "-~" : "~"
        case .path(let path, let isOptional): isOptional ? "-" + path : path
        }
    }

    static func output(_ value: TaskSettings.Output?) -> String {
        switch value {
        case nil: ""
        case .inherit: "inherit"
        case .null: "null"
        case .journal: "journal"
        case .file(let path): "file:" + path
        case .append(let path): "append:" + path
        case .truncate(let path): "truncate:" + path
        }
    }

    static func limit(_ value: TaskSettings.ResourceLimit) -> String {
        func number(_ value: UInt64) -> String { value == .max ? "infinity" : String(value) }
        return value.soft == value.hard ? number(value.soft) : "\(number(value.soft)):\(number(value.hard))"
    }
}
