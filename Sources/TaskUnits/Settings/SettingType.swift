/// What is written behind the `=` of a setting.
public enum SettingType: Sendable, Hashable, CustomStringConvertible {
    case text
    case boolean
    case timeSpan
    case size
    case percent
    case number
    case count
    case weight
    case times
    case bytes
    case cpus
    case command
    case path
    case paths
    case account
    case accounts
    case environment
    case variableNames
    case mode
    case output
    case nice
    case limit
    case signal
    case exitStatuses
    case addresses
    case parameterNames
    case parameter
    case calendar
    case words
    case capabilities
    case optionalPaths
    case credential
    case credentialValue
    /// One of these words.
    case choice([String])

    public var description: String {
        switch self {
        case .text: "text"
        case .boolean: "yes or no"
        case .timeSpan: "time span (`90`, `1min 30s`, `infinity`)"
        case .size: "size (`150M`), percentage, `infinity`"
        case .percent: "percentage (`50%`)"
        case .number: "number"
        case .count: "number, percentage, `infinity`"
        case .times: "`m/n`"
        case .bytes: "size (`150M`), percentage"
        case .weight: "1 … 10000, or `idle`"
        case .cpus: "numbers and ranges (`0-3,5`)"
        case .command: "absolute path and arguments"
        case .path: "absolute path"
        case .paths: "absolute paths"
        case .account: "name or number"
        case .accounts: "names or numbers"
        case .environment: "`NAME=value` …"
        case .variableNames: "names of variables"
        case .mode: "octal mode"
        case .output: "`journal`, `null`, `inherit`, `file:PATH`, `append:PATH`, `truncate:PATH`"
        case .nice: "−20 … 19"
        case .limit: "`value` or `soft:hard`"
        case .signal: "signal"
        case .exitStatuses: "exit codes, their names, signals"
        case .addresses: "addresses (`https:`, `http:`, `file:`, `info:`, `man:`)"
        case .parameterNames: "names, `yes` or `no`"
        case .parameter: "`TYPE [required] [default=VALUE]`"
        case .calendar: "calendar expression"
        case .words: "words"
        case .capabilities: "capabilities (`CAP_NET_RAW`), or `~` and capabilities"
        case .optionalPaths: "absolute paths, with `-` or without"
        case .credential: "`ID[:PATH]`"
        case .credentialValue: "`ID:VALUE`"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        }
    }
}
