internal import LinuxSystem
internal import ShimProtocol
internal import Synchronization

/// A shim that has made its record and waits at its gate: it runs the script on its go, and leaves without a trace when
/// the gate closes, however that comes about.
public final class PreparedAttempt: Sendable {
    public let shimPID: Int32
    private let isDelegated: Bool
    private let gate: Mutex<Gate>

    private struct Gate: ~Copyable {
        var socket: OwnedDescriptor?
    }

    init(shimPID: Int32, gate: consuming OwnedDescriptor, isDelegated: Bool) {
        self.shimPID = shimPID
        self.isDelegated = isDelegated
        self.gate = Mutex(Gate(socket: gate))
    }

    /// Lets the script run. Call it once, when the run's row is durable.
    ///
    /// After an error the script has not run and will not.
    public func go() throws(LaunchFailure) {
        // Taken out: it closes when this returns, and the shim finds the go before the end of file.
        guard let socket = gate.withLock({ $0.socket.take() }) else {
            throw .step("gate", errno: ErrorNumber.brokenPipe, isDelegated: isDelegated)
        }
        do { try socket.send(GateReply.go) } catch {
            throw .step("gate", errno: error.errno, isDelegated: isDelegated)
        }
    }

    /// Closes the gate: the shim removes its record and leaves. So does dropping this object.
    public func withhold() { gate.withLock { $0.socket = nil } }
}
