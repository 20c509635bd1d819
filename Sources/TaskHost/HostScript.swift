import LinuxSystem
public import TaskModel

/// Why a script may not be run.
public struct ScriptProblem: Error, Sendable, Hashable {
    /// The file, link or directory at fault.
    public let path: String
    public let message: String
    public let remedy: String
}

/// The script check, from the settings of a unit.
public enum HostScript {
    /// Checks the unit's script for a run with this identity: `ScriptOwner=` (default: the run's user) and
    /// `AllowedDirectories=` decide (design, section 5).
    public static func check(
        _ settings: TaskSettings, identity: RunIdentity
    ) throws(ScriptProblem) -> CheckedScript {
        var owner = identity.uid
        if let name = settings.scriptOwner {
            guard let uid = HostAccounts.userID(name) else {
                throw ScriptProblem(
                    path: settings.command.path, message: "ScriptOwner=\(name): there is no such user",
                    remedy: "name a user that exists, or a number")
            }
            owner = uid
        }
        let path = settings.command.path
        do {
            let found = try ScriptCheck.check(
                path: path, owner: owner, allowedDirectories: settings.allowedDirectories)
            return CheckedScript(
                configuredPath: path, realPath: found.realPath, device: found.device, inode: found.inode, owner: owner)
        } catch {
            throw ScriptProblem(path: error.culprit, message: error.message, remedy: error.remedy)
        }
    }

    /// Checks the same file again, for another attempt of the run: it may have been mended since, but a deploy that moves
    /// a link on the way to it changes nothing.
    public static func checkAgain(
        _ script: CheckedScript, _ settings: TaskSettings
    ) throws(ScriptProblem) -> CheckedScript {
        do {
            let found = try ScriptCheck.check(
                path: script.realPath, owner: script.owner, allowedDirectories: settings.allowedDirectories)
            return CheckedScript(
                configuredPath: script.configuredPath, realPath: found.realPath, device: found.device,
                inode: found.inode, owner: script.owner)
        } catch {
            throw ScriptProblem(path: error.culprit, message: error.message, remedy: error.remedy)
        }
    }
}
