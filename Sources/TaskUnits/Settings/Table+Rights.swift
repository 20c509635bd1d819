import TaskModel

extension SettingTable {
    /// [Task]: who may do what, and which file may run.
    static let rights: [Setting] = [
        .list(
            "Task", "AllowUsers", .accounts, \.allowUsers,
            "Who may fire the task and kill its runs, beside root; if neither this nor AllowGroups= is set, User=."
        ) { text, context throws(ValueError) in try AccountName.list(text, "user", context) },

        .list(
            "Task", "AllowGroups", .accounts, \.allowGroups, "Groups whose members may fire the task and kill its runs."
        ) { text, context throws(ValueError) in try AccountName.list(text, "group", context) },

        .one(
            "Task", "ScriptOwner", .account, \.scriptOwner,
            "Who must own the script and the directories above it, beside root; User= if unset.",
            show: { $0 ?? "" }
        ) { text, context throws(ValueError) in try AccountName.check(try context.expand(text), "user") },

        .list(
            "Task", "AllowedDirectories", .paths, \.allowedDirectories,
            "The script's real path must lie below one of these; anywhere that the check passes if unset."
        ) { text, context throws(ValueError) in try UnitPath.list(text, context) },

        .one(
            "Task", "NotifyAccess", .choice(["none", "main", "exec", "all"]), \.notifyAccess,
            "Whose messages on the notify socket count. `all` by default, since the socket belongs to one attempt.",
            show: \.rawValue
        ) { text, _ throws(ValueError) in
            guard let access = TaskSettings.NotifyAccess(rawValue: text) else {
                throw ValueError(message: "\(quoted(text)) is no access", remedy: "write none, main, exec or all")
            }
            return access
        },
    ]
}
