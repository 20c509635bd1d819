public import Varlink

/// The error that a call is answered with.
public struct VarlinkFailure: Error, Sendable, Hashable {
    /// Qualified: `io.faf.Supervisor.NoSuchTask`.
    public var name: String
    /// An object.
    public var parameters: JSON

    public init(name: String, parameters: JSON = .object(JSONObject())) {
        self.name = name
        self.parameters = parameters
    }
}

extension VarlinkFailure {
    public static func interfaceNotFound(_ interface: String) -> VarlinkFailure {
        VarlinkFailure(.interfaceNotFound(interface))
    }

    /// `method` with its interface.
    public static func methodNotFound(_ method: String) -> VarlinkFailure { VarlinkFailure(.methodNotFound(method)) }

    /// `method` with its interface.
    public static func methodNotImplemented(_ method: String) -> VarlinkFailure {
        VarlinkFailure(.methodNotImplemented(method))
    }

    public static func invalidParameter(_ parameter: String) -> VarlinkFailure {
        VarlinkFailure(.invalidParameter(parameter))
    }

    public static let permissionDenied = VarlinkFailure(name: "org.varlink.service.PermissionDenied")

    /// The method needs `more`.
    public static let expectedMore = VarlinkFailure(name: "org.varlink.service.ExpectedMore")

    /// Nobody takes the reply any more, or the server stops and there is none. Never sent: the connection just ends.
    public static let clientGone = VarlinkFailure(name: "io.faf.ClientGone")

    private init(_ reply: Reply) {
        self.init(name: reply.error ?? "", parameters: .object(reply.parameters))
    }

    var reply: Reply { Reply(parameters: parameters.objectValue ?? JSONObject(), error: name) }
}
