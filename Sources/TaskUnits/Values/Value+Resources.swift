public import TaskModel

extension Value {
    /// `MemoryMax=` and its like (systemd.resource-control(5)): a size, a percentage of the physical memory, `infinity`.
    public static func memory(_ text: String, allowsZero: Bool = false) throws(ValueError) -> ResourceSettings.Amount {
        let amount = try amount(text) { text throws(ValueError) in try size(text) }
        switch amount {
        case .absolute(0) where !allowsZero, .share(0) where !allowsZero, .absolute(.max):
            throw ValueError(
                message: "\(quoted(text)) is out of range",
                remedy: "write a size above 0, such as 512M, a percentage, or infinity")
        default: return amount
        }
    }

    /// `TasksMax=`: a number, a percentage of what the system allows, `infinity`.
    public static func tasks(_ text: String) throws(ValueError) -> ResourceSettings.Amount {
        let amount = try amount(text) { text throws(ValueError) in try unsigned(text) }
        switch amount {
        case .absolute(0), .share(0), .absolute(.max):
            throw ValueError(
                message: "\(quoted(text)) is out of range", remedy: "write a number above 0, a percentage, or infinity")
        default: return amount
        }
    }

    private static func amount(
        _ text: String, number: (String) throws(ValueError) -> UInt64
    ) throws(ValueError) -> ResourceSettings.Amount {
        if text == "infinity" { return .infinity }
        if ["%", "‰", "‱"].contains(where: { text.hasSuffix($0) }) {
            return .share(try percent(text, scale: .permyriad))
        }
        return .absolute(try number(text))
    }

    /// `CPUQuota=` in ten-thousandths of one CPU.
    public static func cpuQuota(_ text: String) throws(ValueError) -> UInt32 {
        let quota = try percent(text, scale: .permyriadUnbounded)
        if quota == 0 {
            throw ValueError(message: "\(quoted(text)) is no time at all", remedy: "write a percentage above 0%")
        }
        return quota
    }

    /// `CPUWeight=`: 1...10000, or `idle`.
    public static func cpuWeight(_ text: String) throws(ValueError) -> ResourceSettings.Weight {
        text == "idle" ? .idle : .of(try weight(text))
    }

    /// `IOWeight=`: 1...10000.
    public static func weight(_ text: String) throws(ValueError) -> UInt16 {
        UInt16(try integer(text, in: 1...10_000))
    }

    /// `AllowedCPUs=`: numbers and ranges, with blanks or commas between them.
    public static func cpus(_ text: String) throws(ValueError) -> CPUSet {
        var set = CPUSet()
        for word in text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }) {
            let ends = word.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = ends.first.flatMap(cpu), let last = ends.last.flatMap(cpu), first <= last else {
                throw ValueError(
                    message: "\(quoted(String(word))) is no CPU and no range of CPUs",
                    remedy: "write numbers and ranges, such as 0-3,5")
            }
            set.insert(first...last)
        }
        return set
    }

    /// `MemoryTimes=`: `3/5`, three of the last five; `3` is `3/3`.
    public static func times(_ text: String) throws(ValueError) -> ConditionSettings.Times {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            .map { IntegerText(Array($0.utf8)).unsigned.flatMap { UInt16(exactly: $0) } }
        guard parts.count <= 2, let first = parts.first ?? nil, let last = parts.last ?? nil, first >= 1,
            (first...timesLimit).contains(last)
        else {
            throw ValueError(
                message: "\(quoted(text)) is no number of samples",
                remedy: "write m/n, such as 3/5: three of the last five; n is at most \(timesLimit)")
        }
        return .init(least: first, of: last)
    }

    private static let timesLimit: UInt16 = 100

    private static func cpu(_ text: Substring) -> UInt16? {
        guard text.utf8.allSatisfy(isDigit), let number = UInt16(text), number < CPUSet.limit else { return nil }
        return number
    }
}
