public import TaskModel

/// One attempt that is to be launched: everything resolved, nothing looked up any more.
public struct Launch: Sendable {
    public var run: Run
    public var attempt: Attempt
    /// argv[0] first, parameters included.
    public var arguments: [String]
    /// `NAME=value`.
    public var environment: [String]
    /// Directories in which `LoadCredential=` looks for a name, the first wins.
    public var credentialStores: [String] = []
    /// Kept in the attempt's record, so that the run's row can be restored from it.
    public var origin: [UInt8]

    public init(run: Run, attempt: Attempt, arguments: [String], environment: [String], origin: [UInt8]) {
        self.run = run
        self.attempt = attempt
        self.arguments = arguments
        self.environment = environment
        self.origin = origin
    }
}
