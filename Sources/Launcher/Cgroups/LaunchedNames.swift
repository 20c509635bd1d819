internal import Synchronization
internal import TaskModel

/// The cgroups (`RUN.ATTEMPT`) of attempts that this launcher has made, or is making, and nobody has cleaned.
///
/// An attempt that never ran is launched again under the same name: whoever removes a cgroup does it under this lock, so
/// that he cannot hit the new one while it is still empty.
final class LaunchedNames: Sendable {
    /// What an attempt leaves.
    struct Attempt: Sendable {
        var id: InvocationID
        /// The whole path; `nil`: it has none.
        var cgroup: String?
        var hasTemporaries: Bool
    }

    private let names = Mutex<[String: Attempt]>([:])

    func insert(_ name: String, _ attempt: Attempt) { names.withLock { $0[name] = attempt } }

    /// Forgets the name, unless a later attempt has it; `nil`: this attempt was not here.
    @discardableResult
    func remove(_ name: String, _ id: InvocationID) -> Attempt? {
        names.withLock { $0[name]?.id == id ? $0.removeValue(forKey: name) : nil }
    }

    /// Calls `body` unless the name is in use; keep it short.
    func unlessUsed<Failure: Error>(_ name: String, _ body: () throws(Failure) -> Void) throws(Failure) {
        try names.withLock { (names) throws(Failure) in
            if names[name] == nil { try body() }
        }
    }
}
