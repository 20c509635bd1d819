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

    static func amount(_ value: ResourceSettings.Amount) -> String {
        switch value {
        case .infinity: return "infinity"
        case .share(let share): return tenThousandths(share)
        case .absolute(let number):
            let unit = ["E", "P", "T", "G", "M", "K"].enumerated().first {
                number != 0 && number % (1 << (60 - 10 * $0.offset)) == 0
            }
            return unit.map { "\(number >> (60 - 10 * UInt64($0.offset)))\($0.element)" } ?? String(number)
        }
    }

    static func weight(_ value: ResourceSettings.Weight) -> String {
        switch value {
        case .idle: "idle"
        case .of(let weight): String(weight)
        }
    }

    /// As a percentage.
    static func tenThousandths(_ value: UInt32) -> String {
        let (whole, rest) = value.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return "\(whole)%" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)%" : "\(whole).\(rest < 10 ? "0" : "")\(rest)%"
    }

    static func limit(_ value: TaskSettings.ResourceLimit) -> String {
        func number(_ value: UInt64) -> String { value == .max ? "infinity" : String(value) }
        return value.soft == value.hard ? number(value.soft) : "\(number(value.soft)):\(number(value.hard))"
    }
}
