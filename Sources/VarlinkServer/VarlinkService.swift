public import LinuxSystem
public import Varlink

/// Who calls, as the kernel says. Nothing that the caller sends can change it.
public struct Caller: Sendable, Hashable {
    public let credentials: PeerCredentials

    public init(credentials: PeerCredentials) { self.credentials = credentials }
}

/// One interface and what stands behind it.
public protocol VarlinkService: Sendable {
    /// The parsed text; GetInterfaceDescription answers with it.
    var interface: InterfaceDescription { get }

    /// Calls of this method neither block nor compute for long: they are run on the thread that reads them.
    func isBrief(_ method: String) -> Bool

    /// Runs one call. `method` is the name without the interface and is in the description; `parameters` fit it. The task
    /// is cancelled when the client leaves or the server stops, except for calls that want no reply.
    ///
    /// A call that returns without a last reply is answered with no parameters; what it throws is the answer otherwise.
    func call(
        _ method: String, parameters: JSONObject, caller: Caller, reply: ReplyWriter
    ) async throws(VarlinkFailure)
}

extension VarlinkService {
    public func isBrief(_ method: String) -> Bool { false }
}
