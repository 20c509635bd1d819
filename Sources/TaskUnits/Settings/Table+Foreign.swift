extension SettingTable {
    /// What systemd has and faf does not: an operator who carries a service over is told, line by line.
    static let foreignSettings: [Setting] = (foreignUnit + foreignTask + foreignInstall).flatMap(\.settings)

    private static let foreignUnit: [RefusedGroup] = [
        .foreign(
            "Unit",
            [
                "Requires", "Requisite", "Wants", "BindsTo", "Upholds", "PartOf", "Conflicts", "Before", "After",
                "PropagatesReloadTo", "ReloadPropagatedFrom", "PropagatesStopTo", "StopPropagatedFrom",
                "JoinsNamespaceOf", "RequiresMountsFor", "WantsMountsFor", "DefaultDependencies",
            ],
            reason: "a task is fired, it does not depend on units", remedy: "remove the line"),
        .foreign(
            "Unit",
            [
                "StopWhenUnneeded", "RefuseManualStart", "RefuseManualStop", "AllowIsolate", "IgnoreOnIsolate",
                "OnSuccessJobMode", "OnFailureJobMode", "OnFailureIsolate", "JobTimeoutSec", "JobRunningTimeoutSec",
                "JobTimeoutAction", "JobTimeoutRebootArgument", "FailureAction", "SuccessAction",
                "FailureActionExitStatus", "SuccessActionExitStatus", "RebootArgument", "CollectMode", "SourcePath",
                "SurviveFinalKillSignal",
            ],
            reason: "it is about systemd's jobs", remedy: "remove the line"),
        .foreign(
            "Unit", ["StartLimitIntervalSec", "StartLimitInterval", "StartLimitBurst", "StartLimitAction"],
            reason: "every fire is a run of its own", remedy: "remove the line"),
    ]

    private static let foreignInstall: [RefusedGroup] = [
        .foreign(
            "Install", ["Alias", "WantedBy", "RequiredBy", "UpheldBy", "Also", "DefaultInstance"],
            reason: "a task is not enabled, it is fired", remedy: "remove the section")
    ]

    private static let foreignTask: [RefusedGroup] = [
        .foreign(
            "Task",
            [
                "ExecCondition", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost",
                "ExecReloadPost",
            ],
            reason: "a run is one command", remedy: "remove the line and do it in the script"),
        .foreign(
            "Task",
            [
                "Restart", "RestartSec", "RestartSteps", "RestartMaxDelaySec", "RestartMode",
                "RestartPreventExitStatus", "RestartForceExitStatus",
            ],
            reason: "a run ends, and is tried again by Retry= and its like",
            remedy: "write Retry=, RetrySec=, ... instead"
        ),
        .foreign(
            "Task",
            [
                "PIDFile", "GuessMainPID", "RemainAfterExit", "ExitType", "BusName", "Sockets", "NonBlocking",
                "FileDescriptorStoreMax", "FileDescriptorStorePreserve", "OpenFile", "USBFunctionDescriptors",
                "USBFunctionStrings", "ReloadSignal", "TimeoutStartFailureMode",
                "TimeoutStopFailureMode", "TimeoutCleanSec", "RefreshOnReload", "PermissionsStartOnly",
                "RootDirectoryStartOnly",
            ],
            reason: "it is about services that stay", remedy: "remove the line"),
        .foreign(
            "Task",
            [
                "RootDirectory", "RootImage", "RootImageOptions", "RootImagePolicy", "RootHash", "RootHashSignature",
                "RootVerity", "RootEphemeral", "ExtensionDirectories", "ExtensionImages", "ExtensionImagePolicy",
                "MountImages", "MountImagePolicy", "MountFlags", "MountAPIVFS", "LogNamespace", "BindLogSockets",
                "DelegateNamespaces", "PrivateBPF",
            ],
            reason: "scripts see the machine's own file system", remedy: "remove the line"),
        .foreign(
            "Task",
            [
                "RuntimeDirectory", "RuntimeDirectoryMode", "RuntimeDirectoryPreserve", "StateDirectory",
                "StateDirectoryMode", "StateDirectoryQuota", "StateDirectoryAccounting", "CacheDirectory",
                "CacheDirectoryMode", "CacheDirectoryQuota", "CacheDirectoryAccounting", "LogsDirectory",
                "LogsDirectoryMode", "LogsDirectoryQuota", "LogsDirectoryAccounting", "ConfigurationDirectory",
                "ConfigurationDirectoryMode",
            ],
            reason: "faf makes no directories for a task",
            remedy: "remove the line; tmpfiles.d(5) or the script makes directories"),
        .foreign(
            "Task", ["LoadCredentialEncrypted", "SetCredentialEncrypted", "ImportCredential"],
            reason: "faf decrypts nothing",
            remedy: "give the credential to fafd.service, and write LoadCredential=ID to hand it on"),
        .foreign(
            "Task",
            [
                "UnsetEnvironment", "ExecSearchPath", "SetLoginEnvironment", "PAMName", "UtmpIdentifier", "UtmpMode",
                "SELinuxContext", "AppArmorProfile", "SmackProcessLabel", "Personality", "CoredumpFilter",
                "CoredumpReceive", "NUMAPolicy", "NUMAMask", "MemoryKSM", "MemoryTHP", "UserNamespace",
            ],
            reason: "faf has nothing like it", remedy: "remove the line"),
        .foreign(
            "Task",
            [
                "StandardInputText", "StandardInputData", "TTYPath", "TTYReset", "TTYVHangup", "TTYVTDisallocate",
                "TTYRows", "TTYColumns",
            ],
            reason: "a script has no terminal and no input",
            remedy: "remove the line and pass parameters"),
        .foreign(
            "Task",
            [
                "SyslogFacility", "SyslogLevel", "LogLevelMax", "LogRateLimitIntervalSec", "LogRateLimitBurst",
                "LogExtraFields", "LogFilterPatterns",
            ],
            reason: "a run's output goes to the journal as daemon.info, or as `<N>` before a line says",
            remedy: "remove the line"),
        .foreign(
            "Task",
            [
                "Slice", "Delegate", "DelegateSubgroup", "DisableControllers", "CPUAccounting", "MemoryAccounting",
                "IOAccounting", "TasksAccounting", "IPAccounting", "BlockIOAccounting", "StartupCPUWeight", "CPUShares",
                "StartupCPUShares", "StartupAllowedCPUs", "AllowedMemoryNodes",
                "StartupAllowedMemoryNodes", "MemoryMin", "DefaultMemoryMin", "DefaultMemoryLow",
                "StartupMemoryLow", "StartupMemoryHigh", "StartupMemoryMax", "StartupMemorySwapMax",
                "MemoryZSwapMax", "StartupMemoryZSwapMax", "MemoryZSwapWriteback", "MemoryLimit",
                "MemoryPressureWatch", "MemoryPressureThresholdSec", "CPUPressureWatch", "CPUPressureThresholdSec",
                "IOPressureWatch", "IOPressureThresholdSec", "StartupIOWeight", "IODeviceWeight",
                "IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax", "IOWriteIOPSMax",
                "IODeviceLatencyTargetSec", "BlockIOWeight", "StartupBlockIOWeight", "BlockIODeviceWeight",
                "BlockIOReadBandwidth", "BlockIOWriteBandwidth", "DeviceAllow", "DevicePolicy", "IPAddressAllow",
                "IPAddressDeny", "IPIngressFilterPath", "IPEgressFilterPath", "ManagedOOMSwap",
                "ManagedOOMMemoryPressure", "ManagedOOMMemoryPressureLimit", "ManagedOOMMemoryPressureDurationSec",
                "ManagedOOMPreference", "BPFProgram", "SocketBindAllow", "SocketBindDeny",
                "RestrictNetworkInterfaces", "NFTSet", "ConcurrencyHardMax", "ConcurrencySoftMax",
            ],
            reason: "it would not be enforced for a task",
            remedy: "remove the line; `systemctl set-property faf-tasks.service` sets it for all tasks together"),
        .foreign(
            "Task", ["ReadWriteDirectories", "ReadOnlyDirectories", "InaccessibleDirectories"],
            reason: "an old name", remedy: "write ReadWritePaths=, ReadOnlyPaths= or InaccessiblePaths="),
        .foreign(
            "Task", ["SystemCallFilter", "SystemCallArchitectures", "SystemCallErrorNumber", "SystemCallLog"],
            reason:
                "its groups (@system-service and so on) are lists of systemd's own that grow with each version, and a "
                + "filter that means something else under the same name protects nobody",
            remedy:
                "remove the line; bwrap(1) --seccomp can start the program from the script with a filter of your own"),
    ]
}
