internal import LinuxSystem
internal import ShimProtocol
internal import TaskModel

extension Launcher {
    /// What the attempt's script is kept from and what it alone sees; `nil`: its unit asks for nothing of that.
    func sandbox(_ launch: Launch) throws(LaunchFailure) -> LaunchSpecification.Sandbox? {
        let settings = launch.run.settings.sandbox
        if settings == Sandbox() { return nil }
        var sandbox = LaunchSpecification.Sandbox()
        try SandboxRights.check(settings, isOwnMode: !changesUser)
        if settings.hasCredentials {
            sandbox.mounts.append(.init(.credentials, at: directories.credentials))
            sandbox.credentials = try CredentialFiles(
                stores: launch.credentialStores, identity: launch.run.identity
            ).read(settings)
        }
        return sandbox
    }
}
