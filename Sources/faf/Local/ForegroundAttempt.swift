import Glibc
import LinuxSystem
import TaskModel
import TaskUnits
import Varlink

/// One attempt of a task in this terminal: checked and set up like fafd's, executed as the caller.
struct ForegroundAttempt {
    private let unit: TaskUnit
    private let script: ScriptCheck.Found
    private let arguments: [String]
    private let environment: [String]
    private let workingDirectory: (path: String, isOptional: Bool)
    /// For the notify socket, input and result.
    private let directory: String
    private let notices: [String]

    init(_ unit: TaskUnit, _ given: JSONObject, isUserMode: Bool, socketPath: String) throws(Failure) {
        self.unit = unit
        let settings = unit.settings
        let parameters: [Parameter]
        do {
            parameters = try ParameterCheck.check(
                given: given.members.compactMap { member in
                    ParameterValue(member.value).map { Parameter(name: member.name, value: $0) }
                },
                policy: settings.parameters, room: ParameterCheck.room(for: settings))
        } catch {
            throw Failure(.data, error.message, remedy: error.remedy)
        }

        let owner = try Self.owner(settings, isUserMode: isUserMode)
        do {
            script = try ScriptCheck.check(
                path: settings.command.path, owner: owner, allowedDirectories: settings.allowedDirectories)
        } catch {
            throw Failure(.refused, error.message, remedy: error.remedy)
        }

        let identity = Self.caller
        let attempt = Attempt(
            number: 1, invocation: .random(),
            boot: (try? Machine.bootID()).flatMap { BootID($0) } ?? BootID(high: 0, low: 0))
        // Nothing of it is ever stored: the number stands for "no run".
        let run = TaskModel.Run(
            id: RunID(rawValue: 0), task: unit.name, parameters: parameters, settings: settings, identity: identity,
            rights: RunRights(firedBy: identity.uid, users: [], groups: []),
            script: CheckedScript(
                configuredPath: settings.command.path, realPath: script.realPath, device: script.device,
                inode: script.inode, owner: owner),
            priority: 0, state: .running, queuedAt: Timestamp(microseconds: Clock.now), attempts: [attempt])
        let files = try Self.environmentFiles(settings)
        directory = try Self.temporaryDirectory()
        environment = Self.adjust(
            ProcessEnvironment.build(
                run: run, attempt: attempt, directories: Directories.system, socketPath: socketPath,
                passed: Environment.all, files: files),
            directory)
        arguments = ProcessArguments.build(run: run, environment: environment)
        workingDirectory =
            switch settings.workingDirectory {
            case .root: ("/", false)
            case .home(let isOptional): (identity.home, isOptional)
            case .path(let path, let isOptional): (path, isOptional)
            }
        notices = Self.differences(settings, identity)
    }

    /// Runs the script and returns its status, as a shell would have it.
    func execute() throws(Failure) -> Int32 {
        defer {
            // A result stays, and whoever made it is told where.
            if rmdir(directory) != 0 { Output.error("faf: what it left is in \(Escape.forTerminal(directory))\n") }
        }
        for notice in notices { Output.error("faf: " + Escape.forTerminal(notice) + "\n") }
        let listener = try NotifyListener(path: directory + "/notify")
        umask(mode_t(unit.settings.umask))
        if let nice = unit.settings.nice, setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Int32(nice)) != 0 {
            Output.error("faf: Nice=\(nice) is not set: \(Self.text(errno))\n")
        }
        for limit in unit.settings.limits {
            var value = rlimit(rlim_cur: rlim_t(limit.soft), rlim_max: rlim_t(limit.hard))
            if setrlimit(__rlimit_resource_t(limit.resource), &value) != 0 {
                Output.error("faf: a Limit...= is not set: \(Self.text(errno))\n")
            }
        }
        if chdir(workingDirectory.path) != 0, !workingDirectory.isOptional {
            throw Failure(
                .other, "cannot change to \(workingDirectory.path): \(Self.text(errno))",
                remedy: "look at WorkingDirectory= and its permissions")
        }
        return try ForegroundProcess.run(script.realPath, arguments, environment, listener)
    }

    // MARK: What a fire would look up as root

    private static var caller: RunIdentity {
        let account = Users.account(uid: getuid())
        var groups = [gid_t](repeating: 0, count: 65536)
        let count = max(0, Int(getgroups(Int32(groups.count), &groups)))
        return RunIdentity(
            uid: getuid(), gid: getgid(), groups: Array(groups.prefix(count)),
            userName: account?.name ?? Environment["USER"] ?? String(getuid()),
            home: account?.home ?? Environment["HOME"] ?? "/", shell: account?.shell ?? "/bin/sh")
    }

    private static func owner(_ settings: TaskSettings, isUserMode: Bool) throws(Failure) -> UInt32 {
        guard let text = settings.scriptOwner ?? settings.user else { return isUserMode ? getuid() : 0 }
        if let uid = Users.account(text)?.uid ?? UInt32(text) { return uid }
        throw Failure(
            .data, "there is no user \(text) in /etc/passwd", remedy: "create the user, or write its number")
    }

    private static func environmentFiles(
        _ settings: TaskSettings
    ) throws(Failure) -> [[(name: String, value: String)]] {
        var files: [[(name: String, value: String)]] = []
        for file in settings.environmentFiles {
            guard let bytes = SmallFile.bytes(file.path, limit: 1 << 20) else {
                if file.isOptional { continue }
                throw Failure(
                    .other, "EnvironmentFile=\(file.path) cannot be read: \(text(errno))",
                    remedy: "create it, make it readable for you, or write - before its path")
            }
            do {
                files.append(try Value.environmentFile(bytes))
            } catch {
                throw Failure(.data, "EnvironmentFile=\(file.path): \(error.message)", remedy: error.remedy)
            }
        }
        return files
    }

    private static func temporaryDirectory() throws(Failure) -> String {
        var path = Array("\(FilePath.absolute(Environment["TMPDIR"] ?? "/tmp"))/faf-run.XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else {
            throw Failure(.other, "cannot make a directory for $FAF_RESULT: \(text(errno))", remedy: "set TMPDIR")
        }
        return path.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    /// Notify socket, input and result lie where the caller may write.
    private static func adjust(_ environment: [String], _ directory: String) -> [String] {
        environment.filter { !$0.hasPrefix("CREDENTIALS_DIRECTORY=") }.map { variable in
            if variable.hasPrefix("NOTIFY_SOCKET=") { return "NOTIFY_SOCKET=\(directory)/notify" }
            if variable.hasPrefix("FAF_INPUT=") { return "FAF_INPUT=\(directory)/input" }
            if variable.hasPrefix("FAF_RESULT=") { return "FAF_RESULT=\(directory)/result" }
            return variable
        }
    }

    private static func differences(_ settings: TaskSettings, _ identity: RunIdentity) -> [String] {
        var notices = ["by hand: nothing is recorded, no cgroup, no time limits, what it leaves running stays"]
        let user = settings.user.flatMap { Users.account($0)?.uid ?? UInt32($0) } ?? 0
        if user != identity.uid {
            notices.append("it runs as \(identity.userName), not as \(settings.user ?? "fafd's user")")
        }
        if settings.noNewPrivileges { notices.append("NoNewPrivileges= is not set: setuid programs work as for you") }
        let sandbox = settings.sandbox.used.map { $0.setting + "=" }
        if !sandbox.isEmpty {
            notices.append("there is no sandbox: not in effect are \(sandbox.joined(separator: ", "))")
        }
        return notices
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

extension ParameterValue {
    /// `nil` for `null`: the parameter is not given.
    init?(_ json: JSON) {
        switch json {
        case .null: return nil
        case .string(let text): self.init(kind: .string, text: text)
        case .number(let text): self.init(kind: .number, text: text)
        case .bool(let value): self.init(kind: .boolean, text: value ? "true" : "false")
        case .array: self.init(kind: .array, text: json.text)
        case .object: self.init(kind: .object, text: json.text)
        }
    }
}
