internal import LinuxSystem
internal import TaskModel

/// Whether this supervisor may make what a unit asks for. What it may not is refused by name, never left out.
enum SandboxRights {
    /// - Parameter isOwnMode: it cannot become other users.
    /// - Parameter has: its effective capabilities.
    static func check(
        _ settings: Sandbox, isOwnMode: Bool, has: CapabilitySet = CapabilitySet(rawValue: OwnProcess.capabilities())
    ) throws(LaunchFailure) {
        let missing = settings.used.filter { !$0.needs.isEmpty && (isOwnMode || !has.isSuperset(of: $0.needs)) }
        guard !missing.isEmpty else { return }
        let names = missing.map { "\($0.setting)=" }.joined(separator: ", ")
        if isOwnMode {
            throw LaunchFailure(
                step: "sandbox", errno: ErrorNumber.notPermitted,
                message: "\(names) cannot be enforced by a supervisor that is not root",
                remedy: "remove the line, or leave the task to the system's supervisor")
        }
        let lacking = missing.reduce(into: CapabilitySet()) { $0.formUnion($1.needs) }.subtracting(has)
        throw LaunchFailure(
            step: "sandbox", errno: ErrorNumber.notPermitted,
            message: "\(names) cannot be enforced: fafd has no \(lacking.names.joined(separator: " and no "))",
            remedy: "give it to fafd's container or service, or remove the line")
    }

    /// Those of a set that this kernel has; one that it has not, though it has a name, is refused.
    static func known(
        _ set: CapabilitySet, last: Int = Machine.lastCapability()
    ) throws(LaunchFailure) -> CapabilitySet {
        let kernel = last >= 63 ? CapabilitySet.all : CapabilitySet(rawValue: 1 << UInt64(last + 1) - 1)
        let unknown = set.intersection(.named).subtracting(kernel)
        guard unknown.isEmpty else {
            throw LaunchFailure(
                step: "sandbox", errno: ErrorNumber.invalid,
                message: "this kernel has no \(unknown.names.joined(separator: " and no "))",
                remedy: "remove it from AmbientCapabilities=, or boot a newer kernel")
        }
        return set.intersection(kernel)
    }
}
