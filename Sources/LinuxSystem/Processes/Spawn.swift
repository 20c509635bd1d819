internal import CLinux

/// A start that failed: at which step of the child, and why.
public struct SpawnFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Step: Int32, Sendable, Hashable {
        case prepare = 1, clone, session, signals, descriptors, exec, cgroup
    }

    public let step: Step
    public let errno: Int32

    public var description: String { "\(step): \(SystemError.text(of: errno)) (\(SystemError.name(of: errno)))" }
}

extension ProcessHandle {
    /// Starts the program behind an open descriptor with one argument, an empty environment, `socket` as descriptor 3,
    /// /dev/null as 0 to 2 and nothing else; in a session of its own, at /, with default signals, born into `cgroup`.
    ///
    /// Between clone and exec runs C alone (threat-model D7). The child is this process's: reap it.
    public static func spawn(
        program: borrowing OwnedDescriptor, name: String, argument: String, socket: borrowing OwnedDescriptor,
        cgroup: Int32?
    ) throws(SpawnFailure) -> ProcessHandle {
        var pidfd: Int32 = -1
        var step: Int32 = 0
        let pid = fafd_spawn(program.rawValue, name, argument, socket.rawValue, cgroup ?? -1, &pidfd, &step)
        guard pid > 0 else { throw SpawnFailure(step: SpawnFailure.Step(rawValue: step) ?? .prepare, errno: -pid) }
        return ProcessHandle(pid: pid, descriptor: OwnedDescriptor(owning: pidfd))
    }
}
