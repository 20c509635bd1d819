import Testing

/// For each setting that is enforced: a good value and how it is shown, another one for a drop-in, and bad ones.
struct SettingCase: Sendable, CustomTestStringConvertible {
    var section = "Task"
    let key: String
    let good: String
    let shown: String
    let other: String
    let bad: [String]
    var isList = false
    /// A line of [Task] without which it would do nothing.
    var beside = ""
    /// An empty assignment goes back to the default.
    var isReset = true

    var testDescription: String { key }

    static let all: [SettingCase] = [
        .init(section: "Unit", key: "Description", good: "Cuts %p", shown: "Cuts t", other: "x", bad: ["%Z"]),
        .init(
            section: "Unit", key: "Documentation", good: "man:t(1) https://example.org",
            shown: "man:t(1) https://example.org",
            other: "file:/x", bad: ["example.org", "https://"], isList: true),
        .init(
            section: "Unit", key: "OnSuccess", good: "mail.task report@%p", shown: "mail.task report@t", other: "x",
            bad: ["report@", "a/b"], isList: true),
        .init(section: "Unit", key: "OnFailure", good: "mail", shown: "mail", other: "x", bad: ["@x"], isList: true),
        .init(
            section: "Unit", key: "OnAttemptFailure", good: "mail", shown: "mail", other: "x", bad: ["a!"], isList: true
        ),
        .init(
            key: "Type", good: "notify", shown: "notify", other: "simple",
            bad: ["Simple", "oneshot", "forking", "worker"]),
        .init(
            key: "WorkingDirectory", good: "/srv//app/.", shown: "/srv/app", other: "-~",
            bad: ["srv", "/srv/../etc", "~alice", "-"]),
        .init(
            key: "Environment", good: "A=1 \"B=two words\"", shown: "A=1 \"B=two words\"", other: "C=3",
            bad: ["A", "1A=2", "\"A=1"], isList: true),
        .init(
            key: "EnvironmentFile", good: "-/etc/t.env", shown: "-/etc/t.env", other: "/etc/u.env",
            bad: ["t.env", "/etc/*.env", "/a/../b"], isList: true),
        .init(
            key: "PassEnvironment", good: "TZ LC_ALL", shown: "TZ LC_ALL", other: "X",
            bad: ["A=1", "2X"], isList: true),
        .init(
            key: "User", good: "alice", shown: "alice", other: "4000000000",
            bad: ["4294967295", "65535", "-1", "+1", "007", "a b", "a:b", "99999999999", "*"]),
        .init(key: "Group", good: "2000", shown: "2000", other: "staff", bad: ["4294967295", "a/b", "..", "%Z"]),
        .init(
            key: "SupplementaryGroups", good: "video 2000", shown: "video 2000", other: "audio",
            bad: ["4294967295", "video,audio"], isList: true),
        .init(key: "UMask", good: "27", shown: "0027", other: "077", bad: ["8", "u=rwx", "-1", "17777"]),
        .init(key: "Nice", good: "5", shown: "5", other: "-20", bad: ["20", "-21", "x", "1.5"]),
        .init(key: "NoNewPrivileges", good: "off", shown: "no", other: "1", bad: ["2", "enable"]),
        .init(
            key: "StandardOutput", good: "append:/var/log//%p.log", shown: "append:/var/log/t.log", other: "null",
            bad: ["file:out", "append:", "truncate:/a/../b", "tty", "kmsg", "fd:x", "Journal", "/var/log/t"]),
        .init(
            key: "StandardError", good: "journal", shown: "journal", other: "truncate:/x",
            bad: ["socket", "syslog", "file:%Z"]),
        .init(key: "SyslogIdentifier", good: "app-%p", shown: "app-t", other: "x", bad: ["%Z"]),
        .init(key: "SyslogLevelPrefix", good: "off", shown: "no", other: "1", bad: ["2"]),
        .init(key: "LimitCPU", good: "1min", shown: "60", other: "5", bad: ["5K", "-1"]),
        .init(key: "LimitFSIZE", good: "1K", shown: "1024", other: "5", bad: ["1k", "-1"]),
        .init(key: "LimitDATA", good: "1M:2M", shown: "1048576:2097152", other: "5", bad: ["2M:1M", "1:2:3"]),
        .init(key: "LimitSTACK", good: "16M", shown: "16777216", other: "infinity", bad: ["1KB"]),
        .init(key: "LimitCORE", good: "infinity", shown: "infinity", other: "0", bad: ["unlimited"]),
        .init(key: "LimitRSS", good: "1G", shown: "1073741824", other: "5", bad: ["x"]),
        .init(key: "LimitNOFILE", good: "1024:4096", shown: "1024:4096", other: "64", bad: ["1K", "-1"]),
        .init(key: "LimitAS", good: "4G", shown: "4294967296", other: "5", bad: ["x"]),
        .init(key: "LimitNPROC", good: "20", shown: "20", other: "5", bad: ["20.5"]),
        .init(key: "LimitMEMLOCK", good: "64K", shown: "65536", other: "5", bad: ["x"]),
        .init(key: "LimitLOCKS", good: "20", shown: "20", other: "5", bad: ["x"]),
        .init(key: "LimitSIGPENDING", good: "20", shown: "20", other: "5", bad: ["x"]),
        .init(key: "LimitMSGQUEUE", good: "8K", shown: "8192", other: "5", bad: ["x"]),
        .init(key: "LimitNICE", good: "-5", shown: "25", other: "5", bad: ["+20", "41"]),
        .init(key: "LimitRTPRIO", good: "7", shown: "7", other: "5", bad: ["x"]),
        .init(key: "LimitRTTIME", good: "1ms", shown: "1000", other: "5", bad: ["x"]),
        .init(
            key: "AllowUsers", good: "alice 2002", shown: "alice 2002", other: "bob", bad: ["*", "-1"], isList: true),
        .init(key: "AllowGroups", good: "www-data", shown: "www-data", other: "2000", bad: ["a,b"], isList: true),
        .init(key: "ScriptOwner", good: "deploy", shown: "deploy", other: "0", bad: ["a b", "65535"]),
        .init(
            key: "AllowedDirectories", good: "/srv/job \"/srv/my jobs\"", shown: "/srv/job \"/srv/my jobs\"",
            other: "/opt", bad: ["srv", "/srv/../etc", "~"], isList: true),
        .init(key: "NotifyAccess", good: "exec", shown: "exec", other: "main", bad: ["All", "yes"]),
        .init(
            key: "AcceptParameters", good: "video size", shown: "video size", other: "x-y",
            bad: ["1x", "a yes", "ä", "a a"], isList: true),
        .init(
            key: "CapabilityBoundingSet", good: "cap_kill CAP_CHOWN", shown: "CAP_CHOWN CAP_KILL",
            other: "~CAP_KILL", bad: ["CAP_NONE", "kill", "CAP_KILL,CAP_CHOWN", "63"], isReset: false),
        .init(
            key: "AmbientCapabilities", good: "CAP_NET_RAW", shown: "CAP_NET_RAW", other: "CAP_KILL",
            bad: ["CAP_X", "~CAP_X"]),
        .init(
            key: "ReadOnlyPaths", good: "/srv//%p -/opt -+/x", shown: "/srv//t -/opt -+/x", other: "/etc",
            bad: ["srv", "+-/x", "/a/../b"], isList: true),
        .init(key: "ReadWritePaths", good: "/", shown: "/", other: "/x", bad: ["x"], isList: true),
        .init(
            key: "InaccessiblePaths", good: "-/x", shown: "-/x", other: "/y", bad: ["/", "-//", "~"], isList: true),
        .init(key: "ProtectSystem", good: "on", shown: "yes", other: "strict", bad: ["Full", "2", "read-only"]),
        .init(key: "ProtectHome", good: "read-only", shown: "read-only", other: "tmpfs", bad: ["strict", "ro"]),
        .init(key: "PrivateTmp", good: "1", shown: "yes", other: "disconnected", bad: ["tmpfs"]),
        .init(key: "PrivateDevices", good: "y", shown: "yes", other: "no", bad: ["2"]),
        .init(key: "PrivateNetwork", good: "true", shown: "yes", other: "no", bad: ["x"]),
        .init(key: "RestrictSUIDSGID", good: "yes", shown: "yes", other: "off", bad: ["x"]),
        .init(
            key: "LoadCredential", good: "key-%p:/etc//t.key", shown: "key-t:/etc//t.key", other: "token",
            bad: ["a/b:/x", "a:b/c", "a:/x/../y", "ä", "..", ":/x", "a:%Z"], isList: true),
        .init(
            key: "SetCredential", good: "mode:fast\\n\\x00 %p", shown: "mode:fast\\n\\x00 %p", other: "x:",
            bad: ["x", "a/b:c", "x:\\q", "x:\\x4", ":v"], isList: true),
        .init(key: "TimeoutStartSec", good: "0", shown: "infinity", other: "5", bad: ["5S", "-5"]),
        .init(key: "TimeoutStopSec", good: "90", shown: "1min 30s", other: "5", bad: ["1h30x", "never"]),
        .init(key: "TimeoutAbortSec", good: "0", shown: "0", other: "infinity", bad: ["5S", "-5"]),
        .init(key: "RuntimeMaxSec", good: "1h30", shown: "1h 30s", other: "infinity", bad: ["1h30x", "-1"]),
        .init(
            key: "RuntimeRandomizedExtraSec", good: "500ms", shown: "500ms", other: "0", bad: ["5S"],
            beside: "RuntimeMaxSec=5"),
        .init(key: "WatchdogSec", good: "20", shown: "20s", other: "0", bad: ["20 sec.", "-1"]),
        .init(key: "SilenceSec", good: "10min", shown: "10min", other: "0", bad: ["10m!", "-1"]),
        .init(
            key: "SilenceAction", good: "continue", shown: "continue", other: "kill", bad: ["log", "Stop", "restart"],
            beside: "SilenceSec=5"),
        .init(
            key: "KillMode", good: "control-group", shown: "control-group", other: "mixed",
            bad: ["Mixed", "cgroup", "x"]),
        .init(key: "KillSignal", good: "INT", shown: "SIGINT", other: "RTMIN+3", bad: ["0", "65", "int", "SIGPOLL"]),
        .init(key: "RestartKillSignal", good: "USR1", shown: "SIGUSR1", other: "2", bad: ["0", "usr1"]),
        .init(key: "SendSIGHUP", good: "on", shown: "yes", other: "no", bad: ["maybe"]),
        .init(key: "SendSIGKILL", good: "no", shown: "no", other: "yes", bad: ["maybe"]),
        .init(key: "FinalKillSignal", good: "QUIT", shown: "SIGQUIT", other: "SIGABRT", bad: ["65", "quit"]),
        .init(key: "WatchdogSignal", good: "SIGTERM", shown: "SIGTERM", other: "6", bad: ["0", "ABORT"]),
        .init(
            key: "SuccessExitStatus", good: "3 TEMPFAIL SIGTERM", shown: "3 TEMPFAIL SIGTERM", other: "9",
            bad: ["256", "-1", "SIGNONE"], isList: true),
        .init(
            key: "MemoryMax", good: "1G 512M", shown: "1536M", other: "infinity",
            bad: ["0", "0%", "101%", "1GB", "-1", "1.5.5%", "Infinity"]),
        .init(key: "MemoryHigh", good: "12.5%", shown: "12.5%", other: "1000", bad: ["0", "x%"]),
        .init(key: "MemoryLow", good: "0", shown: "0", other: "infinity", bad: ["-0", "1 %"]),
        .init(key: "MemorySwapMax", good: "0", shown: "0", other: "1.05%", bad: ["none"]),
        .init(key: "OOMPolicy", good: "kill", shown: "kill", other: "continue", bad: ["Kill", "restart"]),
        .init(key: "CPUQuota", good: "150%", shown: "150%", other: "0.5%", bad: ["20", "0%", "-1%", "infinity"]),
        .init(key: "CPUQuotaPeriodSec", good: "10ms", shown: "10ms", other: "infinity", bad: ["10x"]),
        .init(key: "CPUWeight", good: "idle", shown: "idle", other: "10000", bad: ["0", "10001", "Idle", "50%"]),
        .init(
            key: "AllowedCPUs", good: "0-3,5 7", shown: "0-3,5 7", other: "1", bad: ["3-1", "-1", "a", "1-", "8192"],
            isList: true),
        .init(key: "IOWeight", good: "250", shown: "250", other: "1", bad: ["0", "10001", "idle"]),
        .init(key: "MemoryAbove", good: "150M", shown: "150M", other: "10%", bad: ["0", "infinity", "1GB"]),
        .init(
            key: "MemoryTimes", good: "3", shown: "3/3", other: "1/1",
            bad: ["0/5", "6/5", "3/101", "3/", "/5", "a", "1/2/3"], beside: "MemoryAbove=1G"),
        .init(
            key: "MemoryIntervalSec", good: "5", shown: "5s", other: "100ms", bad: ["0", "99ms", "infinity"],
            beside: "MemoryAbove=1G"),
        .init(
            key: "MemoryAction", good: "restart", shown: "restart", other: "freeze", bad: ["stop", "Freeze"],
            beside: "MemoryAbove=1G"),
        .init(key: "CPUAbove", good: "150%", shown: "150%", other: "0.5%", bad: ["150", "0%"]),
        .init(key: "CPUTimes", good: "5/5", shown: "5/5", other: "2", bad: ["5/4"], beside: "CPUAbove=50%"),
        .init(key: "CPUIntervalSec", good: "1min", shown: "1min", other: "1s", bad: ["x"], beside: "CPUAbove=50%"),
        .init(key: "CPUAction", good: "notify", shown: "notify", other: "kill", bad: ["x"], beside: "CPUAbove=50%"),
        .init(key: "PressureAbove", good: "12.34%", shown: "12.34%", other: "0%", bad: ["101%", "1"]),
        .init(key: "PressureTimes", good: "1/2", shown: "1/2", other: "3/5", bad: ["2/1"], beside: "PressureAbove=5%"),
        .init(
            key: "PressureIntervalSec", good: "10s", shown: "10s", other: "1s", bad: ["0"], beside: "PressureAbove=5%"),
        .init(
            key: "PressureAction", good: "notify", shown: "notify", other: "kill", bad: ["x"],
            beside: "PressureAbove=5%"),
        .init(
            key: "Retry", good: "on-failure", shown: "on-failure", other: "always",
            bad: ["On-failure", "on-success", "yes"]),
        .init(
            key: "RetryLimit", good: "3", shown: "3", other: "infinity",
            bad: ["0", "-1", "1.5", "4294967296", "Infinity"],
            beside: "Retry=always"),
        .init(
            key: "RetrySec", good: "1min 30", shown: "1min 30s", other: "0", bad: ["infinity", "-1", "5S"],
            beside: "Retry=always"),
        .init(
            key: "RetrySteps", good: "5", shown: "5", other: "7", bad: ["-1", "x"],
            beside: "Retry=always\nRetryMaxDelaySec=1h"),
        .init(
            key: "RetryMaxDelaySec", good: "1h", shown: "1h", other: "2h", bad: ["x"],
            beside: "Retry=always\nRetrySteps=5"),
        .init(
            key: "RetryJitter", good: "25%", shown: "25%", other: "0%", bad: ["25", "101%", "2.5%"],
            beside: "Retry=always"),
        .init(
            key: "RetryPreventExitStatus", good: "3 TEMPFAIL SIGTERM", shown: "3 TEMPFAIL SIGTERM", other: "9",
            bad: ["256", "SIGNONE"], isList: true, beside: "Retry=always"),
        .init(
            key: "RetryForceExitStatus", good: "3 SIGKILL", shown: "3 SIGKILL", other: "9", bad: ["256", "SIGNONE"],
            isList: true),
        .init(
            key: "RetryWindowSec", good: "10min", shown: "10min", other: "infinity", bad: ["0", "x"],
            beside: "Retry=always"),
        .init(key: "TasksMax", good: "10%", shown: "10%", other: "100", bad: ["0", "-5", "1K", "0%"]),
    ]
}
