/// One command of an `Exec…=` setting, specifiers resolved, variables not yet replaced.
public struct ExecCommand: Sendable, Hashable {
    /// A prefix of the path (systemd.service(5), “Special executable prefixes”), by the names `faf analyze` prints.
    public enum Flag: String, Sendable, Hashable, CaseIterable {
        /// `-`
        case ignoreFailure = "ignore-failure"
        /// `:`
        case noEnvironmentExpansion = "no-env-expand"
        /// `+`
        case privileged
        /// `!`
        case noSetuid = "no-setuid"
        /// `!!`
        case ambient
    }

    /// Absolute, `//` and `/./` simplified; or a bare name without a slash.
    public var path: String
    /// argv[0] first: the path as written, or the word behind it with the `@` prefix.
    public var argv: [String]
    public var flags: Set<Flag>

    public init(path: String, argv: [String], flags: Set<Flag> = []) {
        self.path = path
        self.argv = argv
        self.flags = flags
    }
}
