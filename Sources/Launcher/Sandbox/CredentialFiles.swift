internal import LinuxSystem
internal import ShimProtocol
internal import TaskModel

/// Reads what `LoadCredential=` names, anew at each launch.
///
/// As root, so that the run's user needs no right to the file; hence only a file that nobody but root can have put there
/// (threat-model C7), or one that the run could read itself. Contents are never logged and in no message.
struct CredentialFiles {
    /// systemd's limit for all of a unit's together.
    static let limit = 1 << 20

    /// Where a name without a path is looked for.
    let stores: [String]
    let identity: RunIdentity

    func read(_ settings: Sandbox) throws(LaunchFailure) -> [LaunchSpecification.Credential] {
        var found: [LaunchSpecification.Credential] = []
        for credential in settings.loadedCredentials {
            if let content = try content(of: credential) {
                found.append(.init(name: credential.name, content: content))
            } else if !settings.literalCredentials.contains(where: { $0.name == credential.name }) {
                throw failure(
                    credential, ErrorNumber.notFound, "there is no such file",
                    remedy: credential.source.hasPrefix("/")
                        ? "create it" : "create it in \(stores.first ?? "/etc/credstore"), or write a path")
            }
        }
        for literal in settings.literalCredentials where !found.contains(where: { $0.name == literal.name }) {
            found.append(.init(name: literal.name, content: literal.content))
        }
        if found.reduce(0, { $0 + $1.content.count }) > Self.limit {
            throw LaunchFailure(
                step: "credentials", errno: ErrorNumber.tooLarge,
                message: "the credentials have more than \(Self.limit) bytes together",
                remedy: "hand over large files by their path")
        }
        return found
    }

    /// `nil`: there is no such file.
    private func content(of credential: Sandbox.LoadedCredential) throws(LaunchFailure) -> [UInt8]? {
        let isPath = credential.source.hasPrefix("/")
        for path in isPath ? [credential.source] : stores.map({ "\($0)/\(credential.source)" }) {
            do throws(TrustedFileRefusal) {
                switch try TrustedFile.read(path, owner: 0, limit: Self.limit) {
                case .bytes(let bytes)?: return bytes
                case .masked?: return []
                case nil: continue
                }
            } catch {
                if let own = asTheRun(path, error) { return own }
                throw failure(credential, 0, error.message, remedy: error.remedy)
            }
        }
        return nil
    }

    /// What somebody beside root could have arranged is read with no more rights than the run has itself.
    private func asTheRun(_ path: String, _ refusal: TrustedFileRefusal) -> [UInt8]? {
        switch refusal.problem {
        case .owner, .writable:
            try? UserFile.read(
                path, uid: identity.uid, gid: identity.gid, groups: identity.groups, limit: Self.limit)
        case .notAbsolute, .notRegular, .tooLarge, .tooManyLinks, .system: nil
        }
    }

    private func failure(
        _ credential: Sandbox.LoadedCredential, _ errno: Int32, _ message: String, remedy: String
    ) -> LaunchFailure {
        LaunchFailure(
            step: "credentials", errno: errno,
            message: "LoadCredential=\(credential.name):\(credential.source): \(message)", remedy: remedy)
    }
}
