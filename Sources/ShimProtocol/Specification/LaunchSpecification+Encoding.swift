internal import CRecord
internal import TaskModel

extension LaunchSpecification {
    /// The largest specification that goes through the gate as one message; larger ones go as a sealed memfd.
    public static let inlineLimit = Int(FAF_SPEC_INLINE_MAX)
    /// The largest specification.
    public static let limit = Int(FAF_SPEC_MAX)
    /// The size of the header, which travels alone when the rest is in a memfd.
    public static let headerLength = MemoryLayout<faf_spec_header>.size

    /// The bytes: header, then items.
    public func encoded() throws(SpecificationError) -> [UInt8] {
        if arguments.isEmpty { throw .noArguments }
        guard let number = UInt32(exactly: attempt) else { throw .attemptOutOfRange(attempt) }
        var writer = ItemWriter()
        writer.add(FAF_SPEC_CORE, bytes: rawBytes(core(attempt: number)))
        try writer.add(FAF_SPEC_RECORDS_DIR, recordsDirectory, "the records directory")
        try writer.add(FAF_SPEC_ENDS_DIR, endsDirectory, "the ends directory")
        try writer.add(FAF_SPEC_NOTIFY_PATH, notifyPath, "the notify socket's path")
        try writer.add(FAF_SPEC_CGROUP, cgroup, "the cgroup's path")
        try writer.add(FAF_SPEC_SCRIPT, script.configuredPath, "the script's path")
        try writer.add(FAF_SPEC_REAL_PATH, script.realPath, "the script's real path")
        for (index, argument) in arguments.enumerated() {
            try writer.add(FAF_SPEC_ARGUMENT, argument, "argument \(index)")
        }
        for variable in environment {
            let name = variable.prefix { $0 != "=" }
            try writer.add(FAF_SPEC_ENVIRONMENT, variable, "the environment variable \(name)")
        }
        try writer.add(FAF_SPEC_CWD, workingDirectory, "the working directory")
        for group in groups { writer.add(FAF_SPEC_GROUP, bytes: rawBytes(group)) }
        for limit in limits {
            let item = faf_spec_limit(resource: limit.resource, reserved: 0, soft: limit.soft, hard: limit.hard)
            writer.add(FAF_SPEC_LIMIT, bytes: rawBytes(item))
        }
        for limit in cgroupLimits {
            try writer.add(FAF_SPEC_CGROUP_LIMIT, "\(limit.file)=\(limit.value)", "a limit of the cgroup")
        }
        if stopsOutOfMemory { writer.add(FAF_SPEC_OOM_POLICY, bytes: rawBytes(FAF_OOM_STOP.rawValue)) }
        for directory in allowedDirectories { try writer.add(FAF_SPEC_ALLOWED_DIR, directory, "an allowed directory") }
        try writer.add(FAF_SPEC_STDOUT, standardOutput, "the standard output's path")
        try writer.add(FAF_SPEC_STDERR, standardError, "the standard error's path")
        try writer.add(FAF_SPEC_IO_DIR, ioDirectory, "the directory of input and results")
        if let streams { try writer.add(streams, hasLog: standardOutput != nil) }
        if let sandbox { try writer.add(sandbox) }
        if times != Times() { writer.add(FAF_SPEC_TIMES, bytes: rawBytes(encodedTimes)) }
        if signals != Signals() { writer.add(FAF_SPEC_SIGNALS, bytes: rawBytes(encodedSignals)) }
        writer.add(FAF_SPEC_ORIGIN, bytes: origin)
        let length = LaunchSpecification.headerLength + writer.items.count
        if length > LaunchSpecification.limit { throw .tooLarge(bytes: length, limit: LaunchSpecification.limit) }
        let header = faf_spec_header(
            magic: FAF_SPEC_MAGIC, version: FAF_SPEC_VERSION, crc: crc32(writer.items[...]), length: UInt64(length))
        return rawBytes(header) + writer.items
    }

    private func core(attempt: UInt32) -> faf_spec_core {
        var flags: UInt32 = 0
        func set(_ flag: faf_spec_flag, _ on: Bool) { if on { flags |= flag.rawValue } }
        set(FAF_SPEC_SEND_SIGKILL, sendSIGKILL)
        set(FAF_SPEC_NO_NEW_PRIVILEGES, noNewPrivileges)
        set(FAF_SPEC_CHANGE_USER, changesUser)
        set(FAF_SPEC_CWD_OPTIONAL, workingDirectoryIsOptional)
        set(FAF_SPEC_SET_NICE, nice != nil)
        set(FAF_SPEC_DEATH_SIGNAL, diesWithShim)
        var core = faf_spec_core()
        core.invocation_high = invocation.high
        core.invocation_low = invocation.low
        core.boot_high = boot.high
        core.boot_low = boot.low
        core.run = run.rawValue
        core.attempt = attempt
        core.flags = flags
        core.uid = uid
        core.gid = gid
        core.umask = UInt32(umask)
        core.nice = Int32(nice ?? 0)
        core.type = (kind == .notify ? FAF_TYPE_NOTIFY : FAF_TYPE_SIMPLE).rawValue
        core.notify_access =
            switch notifyAccess {
            case .none: FAF_NOTIFY_NONE.rawValue
            case .main: FAF_NOTIFY_MAIN.rawValue
            case .exec: FAF_NOTIFY_EXEC.rawValue
            case .all: FAF_NOTIFY_ALL.rawValue
            }
        core.kill_mode =
            switch killMode {
            case .controlGroup: FAF_KILL_CONTROL_GROUP.rawValue
            case .mixed: FAF_KILL_MIXED.rawValue
            case .process: FAF_KILL_PROCESS.rawValue
            case .none: FAF_KILL_NONE.rawValue
            }
        core.kill_signal = UInt32(killSignal)
        core.timeout_start_us = microseconds(timeoutStart)
        core.timeout_stop_us = microseconds(timeoutStop)
        core.script_device = script.device
        core.script_inode = script.inode
        core.script_owner = script.owner
        return core
    }

    private var encodedTimes: faf_spec_times {
        let action =
            switch times.silenceAction {
            case .stop: FAF_SILENCE_STOP
            case .kill: FAF_SILENCE_KILL
            case .carryOn: FAF_SILENCE_CONTINUE
            }
        return faf_spec_times(
            runtime_max_us: microseconds(times.runtimeMax),
            runtime_extra_us: microseconds(times.runtimeRandomizedExtra), watchdog_us: microseconds(times.watchdog),
            silence_us: microseconds(times.silence),
            timeout_abort_us: microseconds(times.timeoutAbort ?? timeoutStop), silence_action: action.rawValue,
            reserved: 0)
    }

    private var encodedSignals: faf_spec_signals {
        faf_spec_signals(
            final_kill: UInt32(signals.final), watchdog: UInt32(signals.watchdog),
            restart: UInt32(signals.restart ?? 0), send_hangup: signals.sendSIGHUP ? 1 : 0)
    }

    private func microseconds(_ span: TimeSpan) -> UInt64 {
        switch span {
        case .microseconds(let value): value
        case .infinity: UInt64.max  // FAF_TIME_INFINITY
        }
    }
}

/// Appends items: tag, length, payload padded with zeros to a multiple of 8.
struct ItemWriter {
    var items: [UInt8] = []

    mutating func add(_ tag: faf_spec_tag, bytes: [UInt8]) {
        items += rawBytes(faf_spec_item(tag: tag.rawValue, length: UInt32(truncatingIfNeeded: bytes.count)))
        items += bytes
        items += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    }

    /// Standard output as it is set, or the run's own log; standard error as it is set, or the same.
    mutating func add(_ streams: LaunchSpecification.Streams, hasLog: Bool) throws(SpecificationError) {
        let output = hasLog ? FAF_STREAM_LOG : stream(streams.output)
        let isSame = streams.errors == .inherit || (!hasLog && streams.errors == streams.output)
        let errors = isSame ? FAF_STREAM_SAME : stream(streams.errors)
        let item = faf_spec_streams(
            output: output.rawValue, errors: errors.rawValue, level_prefix: streams.levelPrefix ? 1 : 0, reserved: 0)
        add(FAF_SPEC_STREAMS, bytes: rawBytes(item))
        try add(FAF_SPEC_STDOUT_FILE, streams.output.path, "StandardOutput=")
        if !isSame { try add(FAF_SPEC_STDERR_FILE, streams.errors.path, "StandardError=") }
        try add(FAF_SPEC_JOURNAL, streams.journal, "the journal's socket")
        try add(FAF_SPEC_IDENTIFIER, streams.identifier, "SyslogIdentifier=")
        try add(FAF_SPEC_UNIT, streams.unit, "the journal's unit")
        try add(FAF_SPEC_MARK, streams.mark, "the stream's mark")
    }

    private func stream(_ output: TaskSettings.Output) -> faf_stream {
        switch output {
        case .inherit, .null: FAF_STREAM_NULL  // what standard input is
        case .journal: FAF_STREAM_JOURNAL
        case .file: FAF_STREAM_FILE
        case .append: FAF_STREAM_APPEND
        case .truncate: FAF_STREAM_TRUNCATE
        }
    }

    mutating func add(_ tag: faf_spec_tag, _ text: String?, _ what: String) throws(SpecificationError) {
        guard let text else { return }
        if text.utf8.contains(0) { throw .containsNUL(what) }
        add(tag, bytes: Array(text.utf8))
    }
}
