import LinuxSystem
public import TaskModel

/// Why a task's user or group cannot be had here.
public struct AccountRefusal: Error, Sendable, Hashable {
    /// The setting at fault.
    public let setting: String
    public let message: String
    public let remedy: String
}

/// Turns the users and groups of a unit into ids.
public enum HostAccounts {
    /// The ids that a run with these settings gets from a supervisor that is root (`User=`, `Group=`,
    /// `SupplementaryGroups=`; root where `User=` is unset).
    public static func identity(for settings: TaskSettings) throws(AccountRefusal) -> RunIdentity {
        let account: Account
        do {
            if let name = settings.user {
                account = try Accounts.user(name)
            } else {
                account = try Accounts.user(uid: 0)
            }
        } catch {
            throw AccountRefusal(
                setting: "User=\(settings.user ?? "")", message: "cannot be used: \(error)",
                remedy: "name a user that exists, or a number")
        }
        // A bare number has no primary group to know: like systemd, its group has the same number.
        let gid =
            try settings.group.map { name throws(AccountRefusal) in try group(name, "Group") }
            ?? account.gid ?? account.uid
        // initgroups(3) for a user of the database; a bare number has no groups but its own.
        var groups: [UInt32] = []
        let known = account.gid == nil ? [gid] : Accounts.groups(of: account.name, primary: gid)
        for group in known where !groups.contains(group) { groups.append(group) }
        for name in settings.supplementaryGroups {
            let gid = try group(name, "SupplementaryGroups")
            if !groups.contains(gid) { groups.append(gid) }
        }
        return RunIdentity(
            uid: account.uid, gid: gid, groups: groups, userName: account.name, home: account.home,
            shell: account.shell)
    }

    /// The calling process's own ids, for a supervisor in user mode and for `faf run`: only root can become somebody
    /// else, so settings that ask for that are refused.
    ///
    /// - Parameter home: `$HOME`, which wins over the user database.
    public static func ownIdentity(for settings: TaskSettings, home: String?) throws(AccountRefusal) -> RunIdentity {
        let uid = OwnProcess.uid
        if let name = settings.user, userID(name) != uid {
            throw AccountRefusal(
                setting: "User=\(name)",
                message: "is not the user that this runs as (uid \(uid)), and only root can become another",
                remedy: "remove the line, or leave the task to the system's supervisor")
        }
        guard settings.group == nil, settings.supplementaryGroups.isEmpty else {
            throw AccountRefusal(
                setting: "Group= and SupplementaryGroups=", message: "cannot be set by uid \(uid): only root can",
                remedy: "remove the lines, or leave the task to the system's supervisor")
        }
        let own: PeerCredentials
        let account: Account
        do {
            own = try PeerCredentials.own()
            account = try Accounts.user(uid: uid)
        } catch {
            throw AccountRefusal(
                setting: "User=", message: "uid \(uid) cannot be looked up: \(error)", remedy: "look at /etc/passwd")
        }
        return RunIdentity(
            uid: uid, gid: own.gid, groups: own.groups, userName: account.name, home: home ?? account.home,
            shell: account.shell)
    }

    /// The uid that a name or a number means; `nil` if there is no such user.
    public static func userID(_ text: String) -> UInt32? { try? Accounts.user(text).uid }

    /// The gid that a name or a number means; `nil` if there is no such group.
    public static func groupID(_ text: String) -> UInt32? { try? Accounts.group(text) }

    private static func group(_ name: String, _ setting: String) throws(AccountRefusal) -> UInt32 {
        do { return try Accounts.group(name) } catch {
            throw AccountRefusal(
                setting: "\(setting)=\(name)", message: "cannot be used: \(error)",
                remedy: "name a group that exists, or a number")
        }
    }
}
