public import TaskModel

extension StoreConformance {
    /// A run with a value in every field that its state allows; a later `number` differs in most of them.
    public static func sampleRun(_ number: Int64, task: String = "count", state: RunState = .queued) -> Run {
        var settings = TaskSettings(
            command: .init(path: "/srv/\(task)", arguments: ["/srv/\(task)", "a b\"c", ""], expandsEnvironment: true))
        settings.description = "Zählt – \(task) 🎇"
        settings.environment = ["A=1", "LINES=one\ntwo", "EMPTY="]
        settings.limits = [.init(resource: 7, soft: 1024, hard: .max)]
        settings.timeoutStart = .microseconds(.max)
        settings.successExitStatus.codes = [3, 75, 200]
        settings.successExitStatus.signals = [1, 2, 15]
        settings.workingDirectory = .path("/var/tmp", isOptional: true)
        settings.parameters = .declared([.init(name: "to", kind: .integer, isRequired: true)])
        var run = Run(
            id: RunID(rawValue: number), task: task,
            parameters: [
                Parameter(
                    name: "label", value: .init(kind: .string, text: "a \"quoted\"\\ \u{1}\u{7f}\n\t/ 日本 \u{10FFFF}")),
                Parameter(name: "to", value: .init(kind: .number, text: "9007199254740993")),
                Parameter(name: "tree", value: .init(kind: .object, text: #"{"a":[1,null]}"#)),
            ],
            settings: settings,
            identity: RunIdentity(
                uid: 4_000_000_000, gid: 2001, groups: [2001, 27, 4_294_967_294], userName: "alice",
                home: "/home/alice", shell: "/bin/sh"),
            rights: RunRights(firedBy: 2001, users: [0, 2001, 4_000_000_000], groups: [27]),
            script: CheckedScript(
                configuredPath: "/srv/current/\(task)", realPath: "/srv/releases/9/\(task)", device: .max,
                inode: UInt64(number) + 1 << 63, owner: 2001),
            priority: Int(number % 7) - 3, state: state,
            queuedAt: Timestamp(microseconds: 1_700_000_000_000_000 + number % 1_000_000), attempts: [])
        if state != .queued { run.attempts = [sampleAttempt(1, of: number)] }
        if state.isFinal { end(&run, as: state) }
        return run
    }

    /// An attempt that goes on.
    public static func sampleAttempt(_ attempt: Int, of number: Int64) -> Attempt {
        var result = Attempt(
            number: attempt, invocation: ID128(high: UInt64(number), low: .max - UInt64(attempt)),
            boot: ID128(high: 1 << 63, low: 7))
        result.shimPID = 4_194_304
        result.mainPID = 12
        result.startedAt = Timestamp(microseconds: 1_700_000_000_000_001)
        return result
    }

    /// Ends a run and its last attempt.
    public static func end(_ run: inout Run, as state: RunState) {
        run.state = state
        run.reason = Reason(.exitCode, "it exited with 3 – \"three\"")
        run.status = "3 of 5\u{1b}[31m"
        run.progress = Progress(done: 3, total: .max)
        run.resultText = ""
        run.startedAt = Timestamp(microseconds: 1_700_000_000_000_001)
        run.endedAt = Timestamp(microseconds: 1_700_000_000_900_000)
        guard var attempt = run.attempts.popLast() else { return }
        attempt.state = state
        attempt.reason = run.reason
        attempt.exit = .exited(code: 3)
        attempt.usage = Usage(
            userMicroseconds: .max, systemMicroseconds: 2, maxResidentBytes: 1 << 40, memoryPeakBytes: 5,
            cgroupMicroseconds: nil)
        attempt.endedAt = run.endedAt
        run.attempts.append(attempt)
    }
}
