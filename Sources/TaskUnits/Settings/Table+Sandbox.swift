import TaskModel

extension SettingTable {
    /// [Task]: what the script is kept from (systemd.exec(5), CAPABILITIES and SANDBOXING).
    static let sandbox: [Setting] = capabilities + paths + namespaces

    private static let capabilities: [Setting] = [
        .custom(
            "Task", "CapabilityBoundingSet", .capabilities, default: "~", emptyIsValue: true,
            "The capabilities that no process of the run can have or gain, root's neither, are those that are not listed; "
                + "with `~` before the list, those that are. Lines add up; empty: none is left.",
            apply: { draft, text, _ throws(ValueError) in
                try Value.addCapabilities(text, to: &draft.settings.sandbox.capabilityBoundingSet, initial: .all)
            },
            reset: { $0.settings.sandbox.capabilityBoundingSet = [] },
            show: { Value.capabilityText($0.settings.sandbox.capabilityBoundingSet) }),

        .custom(
            "Task", "AmbientCapabilities", .capabilities,
            "Capabilities that the script has although its user is not root. Lines add up.",
            apply: { draft, text, _ throws(ValueError) in
                try Value.addCapabilities(text, to: &draft.settings.sandbox.ambientCapabilities, initial: [])
            },
            reset: { $0.settings.sandbox.ambientCapabilities = [] },
            show: { Value.capabilityText($0.settings.sandbox.ambientCapabilities) }),
    ]

    private static let paths: [Setting] = [
        .list(
            "Task", "ReadOnlyPaths", .optionalPaths, \.sandbox.readOnlyPaths,
            "Files and directories that can only be read, with all below. What the host mounts there later is as it is "
                + "outside. With `-` before it, a path may be missing."
        ) { text, context throws(ValueError) in try SandboxPath.list(text, context) },

        .list(
            "Task", "ReadWritePaths", .optionalPaths, \.sandbox.readWritePaths,
            "Those that stay as they are, within ReadOnlyPaths= or ProtectSystem=. The run's directory for input and "
                + "result always does."
        ) { text, context throws(ValueError) in try SandboxPath.list(text, context) },

        .list(
            "Task", "InaccessiblePaths", .optionalPaths, \.sandbox.inaccessiblePaths,
            "Those that are empty and out of reach, with all below; $NOTIFY_SOCKET, $FAF_INPUT, $FAF_RESULT and credentials "
                + "are still there."
        ) { text, context throws(ValueError) in
            let paths = try SandboxPath.list(text, context)
            if paths.contains(where: { $0.path == "/" }) {
                throw ValueError(message: "the root directory cannot be hidden", remedy: "list what is in it")
            }
            return paths
        },

        .one(
            "Task", "ProtectSystem", .choice(["no", "yes", "full", "strict"]), \.sandbox.protectSystem,
            "What is read-only: /usr, /boot and /efi; with `full` /etc too; with `strict` everything but /dev, /proc, /sys, "
                + "and what is left to ProtectHome=.",
            show: \.rawValue
        ) { text, _ throws(ValueError) in
            try SandboxChoice.parse(text, [.no, .yes, .full, .strict], yes: .yes, no: .no)
        },

        .one(
            "Task", "ProtectHome", .choice(["no", "yes", "read-only", "tmpfs"]), \.sandbox.protectHome,
            "Whether /home, /root and /run/user are out of reach, read-only, or empty (`tmpfs`).",
            show: \.rawValue
        ) { text, _ throws(ValueError) in
            try SandboxChoice.parse(text, [.no, .yes, .readOnly, .tmpfs], yes: .yes, no: .no)
        },
    ]

    private static let namespaces: [Setting] = [
        .one(
            "Task", "PrivateTmp", .choice(["no", "yes", "disconnected"]), \.sandbox.privateTmp,
            "/tmp and /var/tmp of the attempt's own, gone with it: directories on the same disks, or with `disconnected` in "
                + "memory, which counts as the attempt's.",
            show: \.rawValue
        ) { text, _ throws(ValueError) in try SandboxChoice.parse(text, [.no, .yes, .disconnected], yes: .yes, no: .no)
        },

        .one(
            "Task", "PrivateDevices", .boolean, \.sandbox.privateDevices,
            "A /dev with pseudo devices alone (null, zero, full, random, urandom, tty, pts, shm); no device file works "
                + "elsewhere, and CAP_MKNOD and CAP_SYS_RAWIO are gone.",
            show: SettingText.boolean
        ) { text, _ throws(ValueError) in try Value.boolean(text) },

        .one(
            "Task", "PrivateNetwork", .boolean, \.sandbox.privateNetwork,
            "No network but a loopback device of its own; abstract Unix sockets of the host are out of reach too.",
            show: SettingText.boolean
        ) { text, _ throws(ValueError) in try Value.boolean(text) },

        .one(
            "Task", "RestrictSUIDSGID", .boolean, \.sandbox.restrictSUIDSGID,
            "No file or directory can be given a setuid or setgid bit. openat2(2) and io_uring are not available with it.",
            show: SettingText.boolean
        ) { text, _ throws(ValueError) in try Value.boolean(text) },
    ]
}

/// `ReadOnlyPaths=` and its like.
enum SandboxPath {
    static func list(_ text: String, _ context: SettingContext) throws(ValueError) -> [Sandbox.Path] {
        var paths: [Sandbox.Path] = []
        for word in try context.words(text) {
            let rest = word.dropping(prefix: "-")
            let plain = rest ?? word
            // `+`: below RootDirectory=, which there is not.
            let path = try UnitPath.absolute(plain.dropping(prefix: "+") ?? plain)
            paths.append(.init(path: path, isOptional: rest != nil))
        }
        return paths
    }
}

/// A boolean with further words.
enum SandboxChoice {
    static func parse<Choice: RawRepresentable<String>>(
        _ text: String, _ choices: [Choice], yes: Choice, no: Choice
    ) throws(ValueError) -> Choice {
        if let choice = choices.first(where: { $0.rawValue == text }) { return choice }
        do throws(ValueError) { return try Value.boolean(text) ? yes : no } catch {
            let words = choices.map(\.rawValue).joined(separator: ", ")
            throw ValueError(message: "\(quoted(text)) is none of its values", remedy: "write one of \(words)")
        }
    }
}
