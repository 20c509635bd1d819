import FafAPI
public import Varlink

/// Why fafd did not do what it was asked for, or could not be asked.
///
/// Two errors are equal when their codes are; texts may change from version to version.
public struct FafError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of error this is. More may come with later versions of fafd.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The wire's name of the error, without the interface, or our own for what happens on this side.
        public let description: String

        public init(_ name: String) { description = name }

        public static let permissionDenied = Code(Wire.PermissionDenied.name)
        public static let noSuchTask = Code(Wire.NoSuchTask.name)
        public static let noSuchRun = Code(Wire.NoSuchRun.name)
        public static let badUnit = Code(Wire.BadUnit.name)
        public static let badParameter = Code(Wire.BadParameter.name)
        public static let scriptRefused = Code(Wire.ScriptRefused.name)
        public static let launchFailed = Code(Wire.LaunchFailed.name)
        public static let storeFailed = Code(Wire.StoreFailed.name)
        public static let notActive = Code(Wire.NotActive.name)
        public static let wrongState = Code(Wire.WrongState.name)
        public static let limitReached = Code(Wire.LimitReached.name)
        public static let unavailable = Code(Wire.Unavailable.name)

        /// Nobody answers at the socket.
        public static let noDaemon = Code("NoDaemon")
        /// The connection ended before the answer: whether the call took effect is not known.
        public static let connectionLost = Code("ConnectionLost")
        /// The answer took longer than the client's time limit.
        public static let timedOut = Code("TimedOut")
        /// The peer does not keep to the protocol or to the interface's description.
        public static let badReply = Code("BadReply")
        /// `org.varlink.service.InvalidParameter`: this client and that fafd do not fit together.
        public static let invalidParameter = Code("InvalidParameter")
        /// `org.varlink.service.MethodNotFound` and its like: that fafd is older than this client.
        public static let notSupported = Code("NotSupported")
        /// The task that waited for the answer was cancelled.
        public static let cancelled = Code("Cancelled")
    }

    public var code: Code
    /// What was refused, and why.
    public var message: String
    /// What to do about it; may be empty.
    public var remedy: String
    /// All that the wire said with the error (`problems` of BadUnit, `setting` of PermissionDenied, …).
    public var details: JSONObject

    public init(_ code: Code, _ message: String, remedy: String = "", details: JSONObject = JSONObject()) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.details = details
    }

    /// The error that an error reply stands for.
    public init(errorReply name: String, parameters: JSON) {
        if let failure = Wire.failure(named: name, parameters: parameters) {
            self.init(
                Code(type(of: failure).name), failure.message, remedy: failure.remedy,
                details: parameters.objectValue ?? JSONObject())
            return
        }
        let details = parameters.objectValue ?? JSONObject()
        switch name {
        case "org.varlink.service.InvalidParameter":
            let parameter = details["parameter"]?.stringValue ?? "?"
            self.init(
                .invalidParameter, "fafd does not take the field \(parameter) of this call",
                remedy: "client and fafd differ in version: restart fafd after an upgrade", details: details)
        case "org.varlink.service.PermissionDenied":
            self.init(.permissionDenied, "fafd refuses this call", details: details)
        case _ where name.utf8.starts(with: "org.varlink.service.".utf8):
            self.init(
                .notSupported, "this fafd does not know the call (\(name))",
                remedy: "client and fafd differ in version: restart fafd after an upgrade", details: details)
        default:
            let short = name.split(separator: ".").last.map(String.init) ?? name
            self.init(
                Code(short), details["message"]?.stringValue ?? "fafd answered with the error \(name)",
                remedy: details["remedy"]?.stringValue ?? "", details: details)
        }
    }

    public var description: String { remedy.isEmpty ? message : "\(message) (\(remedy))" }

    public static func == (left: FafError, right: FafError) -> Bool { left.code == right.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
