import FafAPI
import Glibc
import Varlink
import VarlinkClient

extension FafError {
    static let wasCancelled = FafError(.cancelled, "the call was cancelled")

    init(_ error: ConnectError) {
        switch error {
        case .noSuchSocket(let path):
            self.init(
                .noDaemon, "no fafd answers at \(path): there is no such socket",
                remedy: "start it (systemctl start fafd, or fafd --user and faf --user for your own)")
        case .refused(let path):
            self.init(
                .noDaemon, "no fafd answers at \(path): nobody listens there",
                remedy: "start it (systemctl start fafd, or fafd --user and faf --user for your own)")
        case .permissionDenied(let path):
            self.init(
                .permissionDenied, "you may not connect to \(path)",
                remedy: "a fafd --user serves its own user only; choose another socket with --socket or $FAF_SOCKET")
        case .timedOut(let path):
            self.init(
                .timedOut, "\(path) does not accept connections in time", remedy: "is fafd overloaded or stopped?")
        case .pathTooLong:
            self.init(.noDaemon, "\(error)", remedy: "choose a shorter path")
        case .system(let call, let code, let path):
            self.init(.noDaemon, "cannot connect to \(path): \(call): \(String(cString: strerror(code)))")
        }
    }

    init(_ error: ClientError, _ kind: Wire.MethodKind, interruption: Interruption?) {
        if interruption?.isCancelled == true {
            self = .wasCancelled
            return
        }
        // Whoever sends it again must know that the first may have worked.
        let isUncertain = kind == .order
        let remedy = isUncertain ? "whether it took effect is not known: faf list tells" : ""
        switch error {
        case .refused(let refusal):
            self.init(errorReply: refusal.name, parameters: .object(refusal.parameters))
        case .timedOut:
            self.init(.timedOut, "fafd does not answer in time", remedy: remedy)
        case .connectionClosed:
            self.init(.connectionLost, "fafd closed the connection before it answered", remedy: remedy)
        case .connectionClosedUnread:
            self.init(
                .connectionLost, "fafd closed the connection before it read the call, which has had no effect",
                remedy: isUncertain ? "try again" : "")
        case .badReply(let why):
            self.init(.badReply, "fafd's answer cannot be read: \(why)", remedy: remedy)
        case .system(let call, let code):
            self.init(
                .connectionLost, "the connection to fafd failed: \(call): \(String(cString: strerror(code)))",
                remedy: remedy)
        }
    }
}
