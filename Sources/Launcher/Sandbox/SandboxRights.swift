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
}
