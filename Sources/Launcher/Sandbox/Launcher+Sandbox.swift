internal import LinuxSystem
internal import ShimProtocol
internal import TaskModel

extension Launcher {
    /// What the attempt's script is kept from and what it alone sees; `nil`: its unit asks for nothing of that.
    func sandbox(_ launch: Launch) throws(LaunchFailure) -> LaunchSpecification.Sandbox? {
        let (run, settings) = (launch.run, launch.run.settings.sandbox)
        if settings == Sandbox() { return nil }
        try SandboxRights.check(settings, isOwnMode: !changesUser)
        var sandbox = LaunchSpecification.Sandbox()
        // What needs a mount has been refused where none can be made.
        if changesUser { sandbox.mounts = try mounts(launch) }
        if settings.hasCredentials {
            sandbox.credentials = try CredentialFiles(
                stores: launch.credentialStores, identity: run.identity
            ).read(settings)
        }
        let bounding = settings.effectiveBoundingSet
        if bounding != .all || !settings.ambientCapabilities.isEmpty {
            sandbox.capabilities = .init(
                bounding: bounding, ambient: try SandboxRights.known(settings.ambientCapabilities))
        }
        sandbox.hasOwnNetwork = settings.privateNetwork
        sandbox.forbidsDevices = settings.privateDevices
        sandbox.forbidsSUID = settings.restrictSUIDSGID
        return sandbox
    }

    private func mounts(_ launch: Launch) throws(LaunchFailure) -> [LaunchSpecification.Mount] {
        let needs: MountPlan.Needs
        do { needs = try mountNeeds(launch) } catch {
            throw LaunchFailure(
                step: "sandbox", errno: error.errno, message: "a directory of the sandbox is missing: \(error)",
                remedy: "restart fafd, which makes its own; /tmp and /var/tmp are yours to make")
        }
        return try MountPlan(settings: launch.run.settings.sandbox, needs: needs, realPath: Files.realPath).mounts()
    }

    private func mountNeeds(_ launch: Launch) throws(SystemError) -> MountPlan.Needs {
        let (run, invocation) = (launch.run, launch.attempt.invocation)
        let sandbox = run.settings.sandbox
        return MountPlan.Needs(
            io: try realPath(directories.inputAndResults) + "/\(run.id).\(launch.attempt.number)",
            notifySocket: run.settings.notifyAccess == .none
                ? nil : try realPath(directories.notifySockets) + "/\(invocation)",
            credentials: sandbox.hasCredentials ? try realPath(directories.credentials) : nil,
            emptyFile: try realPath(directories.emptyFile),
            temporaries: sandbox.privateTmp == .no ? [] : try temporaries.mounts(of: invocation))
    }

    private func realPath(_ path: String) throws(SystemError) -> String {
        if let real = try Files.realPath(path) { return real }
        throw SystemError(call: "realpath", path: path, errno: ErrorNumber.notFound)
    }
}
