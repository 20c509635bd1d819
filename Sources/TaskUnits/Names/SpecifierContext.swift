/// What specifiers stand for beside the unit's name. What is `nil` is an error when a unit asks for it.
///
/// Filled in once per load by whoever knows: TaskUnits itself looks nothing up.
public struct SpecifierContext: Sendable, Hashable {
    /// `%H`; `%l` is its first part.
    public var hostname: String?
    /// `%q`
    public var prettyHostname: String?
    /// `%m`, 32 hexadecimal digits.
    public var machineID: String?
    /// `%b`, 32 hexadecimal digits.
    public var bootID: String?
    /// `%v`, as `uname -r`.
    public var kernelRelease: String?
    /// `%a`, systemd's word (`x86-64`, `arm64`).
    public var architecture: String?
    /// `%A %B %M %o %w %W` from os-release(5), by its keys (`ID`, `VERSION_ID` …). A missing key is empty text.
    public var osRelease: [String: String] = [:]
    /// `%u` and `%U`: the user the run's script runs as, not the supervisor's (systemd: the manager's).
    public var user: String?
    public var uid: UInt32?
    /// `%g` and `%G`, likewise.
    public var group: String?
    public var gid: UInt32?
    /// `%h` and `%s`, likewise.
    public var home: String?
    public var shell: String?
    /// `%t`
    public var runtimeDirectory: String?
    /// `%S`
    public var stateDirectory: String?
    /// `%C`
    public var cacheDirectory: String?
    /// `%L`
    public var logsDirectory: String?
    /// `%E`
    public var configurationDirectory: String?
    /// `%d`
    public var credentialsDirectory: String?
    /// `%T` and `%V`
    public var temporaryDirectory = "/tmp"
    public var persistentTemporaryDirectory = "/var/tmp"
    /// `%y`, the unit file; `%Y` is its directory.
    public var unitPath: String?

    public init() {}
}
