internal import Synchronization
internal import TaskModel

/// The cgroups (`RUN.ATTEMPT`) of attempts that this launcher has made, or is making, and nobody has cleaned.
///
/// An attempt that never ran is launched again under the same name: whoever removes a cgroup does it under this lock, so
/// that he cannot hit the new one while it is still empty.
final class LaunchedNames: Sendable {
    private let names = Mutex<[String: (id: InvocationID, cgroup: String?)]>([:])

    /// - Parameter cgroup: its whole path.
    func insert(_ name: String, _ id: InvocationID, cgroup: String?) { names.withLock { $0[name] = (id, cgroup) } }

    /// Forgets the name, unless a later attempt has it; the cgroup that the attempt was given.
    @discardableResult
    func remove(_ name: String, _ id: InvocationID) -> String? {
        names.withLock { $0[name]?.id == id ? $0.removeValue(forKey: name)?.cgroup : nil }
    }

    /// Calls `body` unless the name is in use; keep it short.
    func unlessUsed<Failure: Error>(_ name: String, _ body: () throws(Failure) -> Void) throws(Failure) {
        try names.withLock { (names) throws(Failure) in
            if names[name] == nil { try body() }
        }
    }
}
