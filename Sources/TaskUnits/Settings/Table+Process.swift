import TaskModel

extension SettingTable {
    /// [Task]: what is started, and how.
    static let process: [Setting] = start + surroundings + limits

    private static let start: [Setting] = [
        .one(
            "Task", "Type", .choice(["simple", "notify"]), \.kind,
            "When the run counts as running: as soon as the script runs, or once it says READY=1.",
            show: \.rawValue
        ) { text, _ throws(ValueError) in try TaskType.parse(text) },

        .custom(
            "Task", "ExecStart", .command, isList: true,
            "The script and its arguments; no shell. Prefixes: `@` (the next word is argv[0]), `:` (no `$` expansion).",
            apply: { draft, text, context throws(ValueError) in
                try StartCommand.parse(text, into: &draft, context)
            },
            reset: { $0.commands = [] }, show: { _ in "" }),

        .one(
            "Task", "WorkingDirectory", .path, \.workingDirectory,
            "Where the script starts; `~` is the home directory of its user. With `-` before it, `/` if it is missing.",
            show: SettingText.workingDirectory
        ) { text, context throws(ValueError) in
            let text = try context.expand(text)
            let rest = text.dropping(prefix: "-")
            if (rest ?? text) == "~" { return .home(isOptional: rest != nil) }
            return .path(try UnitPath.absolute(rest ?? text), isOptional: rest != nil)
        },

        .custom(
            "Task", "Environment", .environment, isList: true,
            "Variables of the script's environment. A later value of a name replaces the earlier one.",
            apply: { draft, text, context throws(ValueError) in
                try EnvironmentSetting.add(text, to: &draft, context)
            },
            reset: { $0.settings.environment = [] }, show: { _ in "" }),

        .list(
            "Task", "EnvironmentFile", .path, \.environmentFiles,
            "A file with variables, read at each start; wins over Environment=. With `-` before it, it may be missing."
        ) { text, context throws(ValueError) in [try EnvironmentSetting.file(text, context)] },

        .custom(
            "Task", "PassEnvironment", .variableNames, isList: true,
            "Variables that are taken over from the supervisor's own environment, if they are set there.",
            apply: { draft, text, context throws(ValueError) in
                try EnvironmentSetting.pass(text, to: &draft, context)
            },
            reset: { $0.settings.passEnvironment = [] }, show: { _ in "" }),
    ]

    private static let surroundings: [Setting] = [
        .one(
            "Task", "User", .account, \.user, "The script's user; the supervisor's own if unset.",
            show: { $0 ?? "" }
        ) { text, context throws(ValueError) in try AccountName.check(try context.expand(text), "user") },

        .one(
            "Task", "Group", .account, \.group, "The script's group; the user's own group if unset.",
            show: { $0 ?? "" }
        ) { text, context throws(ValueError) in try AccountName.check(try context.expand(text), "group") },

        .list(
            "Task", "SupplementaryGroups", .accounts, \.supplementaryGroups, "Further groups beside those of the user."
        ) { text, context throws(ValueError) in try AccountName.list(text, "group", context) },

        .one(
            "Task", "UMask", .mode, \.umask, "Permission bits that new files of the script do not get.",
            show: SettingText.mode
        ) { text, _ throws(ValueError) in try Value.umask(text) },

        .one(
            "Task", "Nice", .nice, \.nice, "Priority of the script; 19 is the nicest.",
            show: { $0.map { String($0) } ?? "" }
        ) { text, _ throws(ValueError) in try Value.nice(text) },

        .one(
            "Task", "NoNewPrivileges", .boolean, \.noNewPrivileges,
            "The script cannot gain privileges by setuid programs. On by default, unlike systemd's.",
            show: SettingText.boolean
        ) { text, _ throws(ValueError) in try Value.boolean(text) },
    ]

    /// `Limit*=`, all of setrlimit(2)'s.
    private static let limits: [Setting] = Value.Resource.allCases.map { resource in
        .custom(
            "Task", resource.settingName, .limit, resource.documentation,
            apply: { draft, text, _ throws(ValueError) in
                let value = try Value.rlimit(text, resource: resource)
                draft.settings.limits.removeAll { $0.resource == resource.rawValue }
                draft.settings.limits.append(value)
            },
            reset: { draft in draft.settings.limits.removeAll { $0.resource == resource.rawValue } },
            show: { draft in
                draft.settings.limits.last { $0.resource == resource.rawValue }.map(SettingText.limit) ?? ""
            })
    }
}

/// `Type=`.
enum TaskType {
    static func parse(_ text: String) throws(ValueError) -> TaskSettings.Kind {
        if let kind = TaskSettings.Kind(rawValue: text) { return kind }
        switch text {
        case "worker":
            throw ValueError(
                message: "workers are not supported yet", remedy: "write simple or notify: one process for each run")
        case "oneshot":
            throw ValueError(
                message: "oneshot is systemd's; every task is judged that way", remedy: "write simple or leave it out")
        case "exec", "forking", "dbus", "idle", "notify-reload":
            throw ValueError(
                message: "\(text) is a type of systemd's services, not of tasks",
                remedy: "write simple, or notify if the script says READY=1")
        default:
            throw ValueError(message: "\(quoted(text)) is no type of task", remedy: "write simple or notify")
        }
    }
}
