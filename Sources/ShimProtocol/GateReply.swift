internal import CRecord

/// What a shim answers through its gate, once.
public enum GateReply: Sendable, Hashable {
    case ready(pid: Int32)
    /// `item`: which of several limits of the cgroup, in the order of the specification; `nil`: it was something else.
    case failed(step: String, errno: Int32, item: Int? = nil)

    /// The length of the message.
    public static let length = MemoryLayout<faf_gate_reply>.size

    /// `nil`: no reply of a shim.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == GateReply.length, let reply = load(faf_gate_reply.self, from: bytes[...]) else {
            return nil
        }
        switch reply.kind {
        case FAF_GATE_READY.rawValue where reply.pid > 0: self = .ready(pid: reply.pid)
        case FAF_GATE_FAILED.rawValue:
            let isLimit = reply.step == FAF_STEP_CGROUP_LIMIT.rawValue
            self = .failed(step: stepName(reply.step), errno: reply.error, item: isLimit ? Int(reply.pid) : nil)
        default: return nil
        }
    }

    /// The message that lets the shim run the script.
    public static let go: [UInt8] = [UInt8(ascii: "g")]  // FAF_GATE_GO: Swift does not see character constants of C
    /// The message that makes a mother fork a shim.
    public static let fork: [UInt8] = [UInt8(ascii: "f")]  // FAF_MOTHER_FORK
}

/// The name that reasons and messages give a step.
func stepName(_ step: UInt32) -> String { faf_step_name(step).map { String(cString: $0) } ?? "unknown" }

/// The name of the step at which no mother could be started.
public let motherStepName = stepName(FAF_STEP_MOTHER.rawValue)
