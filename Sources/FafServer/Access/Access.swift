import FafAPI
import LinuxSystem
import TaskModel

/// Who may do what. Rights come from the caller's kernel credentials alone (threat-model.md A1, A2).
struct Access: Sendable {
    let host: any Host
    /// In user mode the supervisor serves its own user, and root.
    let onlyUser: UInt32?

    /// "Not mapped here" (user_namespaces(7)): stands for many users at once, so it never matches an allow list.
    private static let overflowID: UInt32 = 65534

    /// Who may fire a task with these settings.
    func rights(_ settings: TaskSettings, identity: RunIdentity, firedBy uid: UInt32) -> RunRights {
        if settings.allowUsers.isEmpty, settings.allowGroups.isEmpty {
            return RunRights(firedBy: uid, users: [identity.uid], groups: [])
        }
        return RunRights(
            firedBy: uid,
            users: Set(settings.allowUsers.compactMap { host.userID($0) }),
            groups: Set(settings.allowGroups.compactMap { host.groupID($0) }))
    }

    /// The first name of a user or group in these settings that nobody has here. A typo in it would otherwise lock
    /// somebody out, or let nobody in, without a word.
    func unknownName(in settings: TaskSettings) -> HostRefusal? {
        func refusal(_ key: String, _ name: String, _ kind: String) -> HostRefusal {
            HostRefusal(
                subject: "\(key)=\(name)", message: "names a \(kind) that does not exist",
                remedy: "name a \(kind) that exists, or a number")
        }
        if let name = settings.scriptOwner, host.userID(name) == nil { return refusal("ScriptOwner", name, "user") }
        for name in settings.allowUsers where host.userID(name) == nil { return refusal("AllowUsers", name, "user") }
        for name in settings.allowGroups where host.groupID(name) == nil {
            return refusal("AllowGroups", name, "group")
        }
        return nil
    }

    func mayFire(_ caller: PeerCredentials, _ rights: RunRights) -> Bool {
        if caller.uid == 0 { return true }
        if let onlyUser { return caller.uid == onlyUser }
        if caller.uid != Self.overflowID, rights.users.contains(caller.uid) { return true }
        return ([caller.gid] + caller.groups).contains { $0 != Self.overflowID && rights.groups.contains($0) }
    }

    /// Root, whoever fired it, and whom the unit allowed when it was fired.
    func maySee(_ caller: PeerCredentials, _ run: Run) -> Bool { maySee(caller, run.rights) }

    func maySee(_ caller: PeerCredentials, _ rights: RunRights) -> Bool {
        if onlyUser == nil, caller.uid == rights.firedBy, caller.uid != Self.overflowID { return true }
        return mayFire(caller, rights)
    }

    func denied(_ caller: PeerCredentials, _ verb: String, task: String) -> Wire.PermissionDenied {
        if let onlyUser {
            return Wire.PermissionDenied(
                message: "uid \(caller.uid) may not use the supervisor of uid \(onlyUser)",
                remedy: "use the system's supervisor, or your own (fafd --user)", setting: "")
        }
        return Wire.PermissionDenied(
            message: "uid \(caller.uid) may not \(verb) \(task): the unit allows neither it nor one of its groups",
            remedy: "let root add the user to AllowUsers= or one of its groups to AllowGroups= in \(task).task",
            setting: "AllowUsers=")
    }

    /// For runs: what would have allowed it is how the unit was when the run was fired.
    func denied(_ caller: PeerCredentials, _ verb: String, run: Run) -> Wire.PermissionDenied {
        var refusal = denied(caller, verb, task: "run \(run.id)")
        if onlyUser == nil {
            refusal.remedy =
                "ask root, or uid \(run.rights.firedBy) who fired it; AllowUsers= and AllowGroups= in \(run.task).task "
                + "allow it for runs that are fired later"
        }
        return refusal
    }
}
