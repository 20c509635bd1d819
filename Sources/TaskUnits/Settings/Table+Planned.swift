extension SettingTable {
    /// What faf's design has and this version does not enforce: refused by name, since a limit or a protection that is
    /// written down and not there is worse than none.
    static let plannedSettings: [Setting] = plannedGroups.flatMap(\.settings)

    private static let plannedGroups: [RefusedGroup] = [
        .planned(
            "Unit", "conditions", conditions.map { ($0, .text) }, remedy: "remove the line and check in the script"),
        .planned(
            "Task", "who is killed first when memory runs out", [("OOMScoreAdjust", .number)],
            remedy: "remove the line"),
        .planned(
            "Task", "the queue",
            [
                ("MaxRunning", .number), ("Priority", .number),
                ("QueueOrder", .choice(["fifo", "random", "weighted"])),
            ],
            remedy: "remove the line: every fire runs at once"),
        .planned(
            "Task", "input for the script", [("StandardInput", .text)],
            remedy: "remove the line; a script reads from /dev/null, pass parameters"),
        .planned(
            "Task", "scheduling of the script's processes",
            [
                ("CPUSchedulingPolicy", .text), ("CPUSchedulingPriority", .number),
                ("CPUSchedulingResetOnFork", .boolean), ("CPUAffinity", .text), ("IOSchedulingClass", .text),
                ("IOSchedulingPriority", .number), ("TimerSlackNSec", .timeSpan), ("IgnoreSIGPIPE", .boolean),
            ],
            remedy: "remove the line; nice(1), chrt(1), taskset(1) and ionice(1) do it in the script"),
        .planned(
            "Task", "the secure bits", [("SecureBits", .words)],
            remedy: "remove the line; setpriv(1) can start the program from the script"),
        .planned(
            "Task", "a part of the sandbox", furtherSandbox.map { ($0, .text) },
            remedy: "remove the line; bwrap(1) can start the program from the script"),
        .planned(
            "Schedule", "schedules",
            [
                ("OnCalendar", .calendar), ("OnBootSec", .timeSpan), ("OnStartupSec", .timeSpan),
                ("OnActiveSec", .timeSpan), ("OnUnitActiveSec", .timeSpan), ("OnUnitInactiveSec", .timeSpan),
                ("Persistent", .boolean), ("RandomizedDelaySec", .timeSpan), ("FixedRandomDelay", .boolean),
                ("AccuracySec", .timeSpan), ("WakeSystem", .boolean),
            ],
            remedy: "remove the section; a systemd timer or cron can call `faf fire`"),
        .planned(
            "Worker", "workers", [("Instances", .number)],
            remedy: "remove the section: each run is a process of its own"),
    ]

    /// systemd.unit(5); each exists as Assert… too.
    private static let conditions: [String] = [
        "PathExists", "PathExistsGlob", "PathIsDirectory", "PathIsSymbolicLink", "PathIsMountPoint", "PathIsReadWrite",
        "PathIsEncrypted", "PathIsSocket", "DirectoryNotEmpty", "FileNotEmpty", "FileIsExecutable", "NeedsUpdate",
        "FirstBoot", "Architecture", "Firmware", "Virtualization", "Host", "KernelCommandLine", "KernelVersion",
        "KernelModuleLoaded", "Version", "Credential", "Security", "Capability", "ACPower", "Memory", "CPUFeature",
        "CPUs", "Environment", "User", "Group", "ControlGroupController", "OSRelease", "MemoryPressure", "CPUPressure",
        "IOPressure",
    ].flatMap { ["Condition" + $0, "Assert" + $0] }

    /// systemd.exec(5): mounts, namespaces, system calls.
    private static let furtherSandbox: [String] = [
        "PrivateUsers", "PrivateMounts", "PrivateIPC", "PrivatePIDs", "ProtectKernelTunables", "ProtectKernelModules",
        "ProtectKernelLogs", "ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectProc", "ProcSubset",
        "ExecPaths", "NoExecPaths", "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "NetworkNamespacePath",
        "IPCNamespacePath", "UserNamespacePath", "MemoryDenyWriteExecute", "RestrictNamespaces", "RestrictRealtime",
        "RestrictAddressFamilies", "RestrictFileSystems", "LockPersonality", "DynamicUser", "RemoveIPC", "KeyringMode",
    ]
}
