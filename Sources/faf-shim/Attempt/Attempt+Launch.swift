import CLinux
import CRecord

extension Attempt {
    /// Clones the script's process and waits until it is past execve.
    mutating func launch(_ specification: Specification) throws(StepFailure) {
        guard var arena = Arena(size: specification.copySize) else { throw StepFailure(FAF_STEP_CLONE, FAF_ENOMEM) }
        defer { arena.free() }
        let hasWatchdog = watchdog != 0 && watchdog != StopSequence.never
        guard var lists = LaunchLists(specification, &arena, hasWatchdog),
            var launch = lists.launch(specification, &arena), let sandbox = faf_sandbox(specification, &arena)
        else { throw StepFailure(FAF_STEP_SPECIFICATION, FAF_ENOMEM) }
        launch.cgroup = cgroup
        launch.sandbox = sandbox
        try connectJournal(specification, &arena, &launch)
        defer { if launch.journal >= 0 { faf_close(launch.journal) } }
        var report: Int32 = -1
        let error = faf_start(&launch, &script, &mainDescriptor, &report)
        if error < 0 { throw StepFailure(FAF_STEP_CLONE, -error) }
        main = script
        keepCgroupName()
        waitForExec(report)
        var step: UInt32 = 0
        let failure = faf_started(report, &step)
        if failure < 0 {
            reapFailed()
            throw StepFailure(faf_step(rawValue: step), -failure)
        }
        var started = faf_record_started()
        started.main_pid = script
        faf_now(&started.realtime_us, &started.boottime_us)
        _ = record.write(FAF_SLOT_STARTED, at: FAF_AT_STARTED, value: started)
        stop.started(at: started.boottime_us)
        if stop.clocks.wantsLooks { stop.clocks.looked(output: written(), at: started.boottime_us) }
        writeClocks()
    }

    /// One stream for standard output and standard error, if one of them goes to the journal.
    private func connectJournal(
        _ specification: Specification, _ arena: inout Arena, _ launch: inout faf_launch
    ) throws(StepFailure) {
        let isOutput = launch.output_stream == FAF_STREAM_JOURNAL.rawValue
        guard isOutput || launch.errors_stream == FAF_STREAM_JOURNAL.rawValue,
            let streams = specification.first(FAF_SPEC_STREAMS)?.loadUnaligned(as: faf_spec_streams.self)
        else { return }
        guard let path = specification.first(FAF_SPEC_JOURNAL).flatMap({ arena.copy($0) }),
            let identifier = specification.first(FAF_SPEC_IDENTIFIER).flatMap({ arena.copy($0) }),
            let mark = specification.first(FAF_SPEC_MARK).flatMap({ arena.copy($0) })
        else { throw StepFailure(FAF_STEP_SPECIFICATION, FAF_ENOMEM) }
        let unit = specification.first(FAF_SPEC_UNIT).flatMap { arena.copy($0) } ?? cString("")
        var words = faf_journal_words(
            identifier: identifier, unit: unit, mark: mark, level_prefix: streams.level_prefix == 0 ? 0 : 1)
        let result = faf_journal_stream(path, &words)
        if result < 0 { throw StepFailure(isOutput ? FAF_STEP_STDOUT : FAF_STEP_STDERR, -result) }
        launch.journal = result
    }

    /// Its process has been in its cgroup from birth, so it knows the name that /proc will show for the others.
    private mutating func keepCgroupName() {
        guard cgroup >= 0 else { return }
        cgroupNameLength = max(faf_cgroup_of(script, paths.cgroupName, Paths.cgroupNameSize), 0)
    }

    /// Until `report` has an answer. A directory or an interpreter that does not answer (NFS, FUSE) or a frozen cgroup can
    /// hold the script up before its first instruction; it can be stopped nevertheless.
    private mutating func waitForExec(_ report: Int32) {
        // That there is a process now is no news.
        readEvents()
        while true {
            armTimer()
            var set = faf_wait_set(
                signals: signals, notify: -1, timer: timer, events: watchesEvents ? events : -1, main: report,
                memory: -1)
            let ready = faf_wait(&set)
            if ready & Int32(FAF_WAIT_EVENTS.rawValue) != 0 { readEvents() }
            if ready & Int32(FAF_WAIT_TIMER.rawValue) != 0 { timerFired() }
            if ready & Int32(FAF_WAIT_MAIN.rawValue) != 0 { return }
            readRequests()
            perform(stop.tick(at: faf_boottime()))
        }
    }

    private mutating func reapFailed() {
        var ended = faf_ended()
        var set = faf_wait_set(signals: -1, notify: -1, timer: -1, events: -1, main: mainDescriptor, memory: -1)
        while faf_reap(script, &ended) == 0 { _ = faf_wait(&set) }
    }

    /// The script never ran: said in the record as its end.
    mutating func notStarted(_ failure: StepFailure) {
        var exited = faf_record_exited()
        exited.kind = FAF_EXIT_NOT_STARTED.rawValue
        exited.step = failure.step.rawValue
        exited.error = failure.error
        faf_now(&exited.realtime_us, &exited.boottime_us)
        self.exited = exited
        mainHasEnded = true
    }
}

/// How many there are of what is listed, then where the lists lie.
private struct LaunchLists {
    private var argumentCount = 0
    private var environmentCount = 0
    private var allowedCount = 0
    private var groupCount = 0
    private var limitCount = 0
    private let arguments, environment, allowed: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let groups: UnsafeMutablePointer<UInt32>
    private let limits: UnsafeMutablePointer<faf_limit>
    private let hasWatchdog: Bool

    init?(_ specification: Specification, _ arena: inout Arena, _ hasWatchdog: Bool) {
        self.hasWatchdog = hasWatchdog
        var counts = (arguments: 0, environment: 0, allowed: 0, groups: 0, limits: 0)
        specification.forEach { tag, _ in
            switch tag {
            case FAF_SPEC_ARGUMENT.rawValue: counts.arguments += 1
            case FAF_SPEC_ENVIRONMENT.rawValue: counts.environment += 1
            case FAF_SPEC_ALLOWED_DIR.rawValue: counts.allowed += 1
            case FAF_SPEC_GROUP.rawValue: counts.groups += 1
            case FAF_SPEC_LIMIT.rawValue: counts.limits += 1
            default: break
            }
        }
        guard let arguments = arena.pointers(counts.arguments),
            let environment = arena.pointers(counts.environment + 1),
            let allowed = arena.pointers(counts.allowed),
            let groups = arena.room(counts.groups * MemoryLayout<UInt32>.stride),
            let limits = arena.room(counts.limits * MemoryLayout<faf_limit>.stride)
        else { return nil }
        self.arguments = arguments
        self.environment = environment
        self.allowed = allowed
        self.groups = groups.bindMemory(to: UInt32.self, capacity: counts.groups)
        self.limits = limits.bindMemory(to: faf_limit.self, capacity: counts.limits)
    }

    /// `nil`: no room for the copies.
    mutating func launch(_ specification: Specification, _ arena: inout Arena) -> faf_launch? {
        guard fill(specification, &arena), let path = specification.first(FAF_SPEC_REAL_PATH),
            let pathCopy = arena.copy(path)
        else { return nil }
        let core = specification.core
        var launch = faf_launch()
        if hasWatchdog {
            guard let place = watchdogPID(&arena) else { return nil }
            launch.watchdog_pid = place
        }
        launch.path = pathCopy
        launch.directory = specification.first(FAF_SPEC_CWD).flatMap { arena.copy($0) } ?? cString("/")
        launch.output = specification.first(FAF_SPEC_STDOUT).flatMap { arena.copy($0) }
        launch.errors = specification.first(FAF_SPEC_STDERR).flatMap { arena.copy($0) }
        launch.output_file = specification.first(FAF_SPEC_STDOUT_FILE).flatMap { arena.copy($0) }
        launch.errors_file = specification.first(FAF_SPEC_STDERR_FILE).flatMap { arena.copy($0) }
        launch.journal = -1
        if let streams = specification.first(FAF_SPEC_STREAMS)?.loadUnaligned(as: faf_spec_streams.self) {
            launch.output_stream = streams.output
            launch.errors_stream = streams.errors
        }
        launch.arguments = UnsafePointer(arguments)
        launch.environment = UnsafePointer(environment)
        launch.allowed = UnsafePointer(allowed)
        launch.allowed_count = allowedCount
        launch.groups = UnsafePointer(groups)
        launch.group_count = groupCount
        launch.limits = UnsafePointer(limits)
        launch.limit_count = limitCount
        launch.device = core.script_device
        launch.inode = core.script_inode
        launch.owner = core.script_owner
        launch.uid = core.uid
        launch.gid = core.gid
        launch.umask = core.umask
        launch.nice = core.nice
        launch.change_user = specification.has(FAF_SPEC_CHANGE_USER) ? 1 : 0
        launch.set_nice = specification.has(FAF_SPEC_SET_NICE) ? 1 : 0
        launch.no_new_privileges = specification.has(FAF_SPEC_NO_NEW_PRIVILEGES) ? 1 : 0
        launch.directory_is_optional = specification.has(FAF_SPEC_CWD_OPTIONAL) ? 1 : 0
        launch.death_signal = specification.has(FAF_SPEC_DEATH_SIGNAL) ? 1 : 0
        return launch
    }

    /// `WATCHDOG_PID=`, and behind it the place for a number that is known only when the process is there.
    private mutating func watchdogPID(_ arena: inout Arena) -> UnsafeMutablePointer<CChar>? {
        let name: StaticString = "WATCHDOG_PID="
        let count = name.utf8CodeUnitCount
        guard let text = arena.room(count + 12)?.bindMemory(to: CChar.self, capacity: count + 12) else { return nil }
        for index in 0..<count { text[index] = CChar(bitPattern: name.utf8Start[index]) }
        text[count] = 0
        environment[environmentCount] = UnsafePointer(text)
        environmentCount += 1
        return text + count
    }

    private mutating func fill(_ specification: Specification, _ arena: inout Arena) -> Bool {
        var hasRoom = true
        var lists = self
        specification.forEach { tag, payload in
            switch tag {
            case FAF_SPEC_ARGUMENT.rawValue:
                lists.arguments[lists.argumentCount] = arena.copy(payload)
                hasRoom = hasRoom && lists.arguments[lists.argumentCount] != nil
                lists.argumentCount += 1
            case FAF_SPEC_ENVIRONMENT.rawValue:
                lists.environment[lists.environmentCount] = arena.copy(payload)
                hasRoom = hasRoom && lists.environment[lists.environmentCount] != nil
                lists.environmentCount += 1
            case FAF_SPEC_ALLOWED_DIR.rawValue:
                lists.allowed[lists.allowedCount] = arena.copy(payload)
                hasRoom = hasRoom && lists.allowed[lists.allowedCount] != nil
                lists.allowedCount += 1
            case FAF_SPEC_GROUP.rawValue:
                lists.groups[lists.groupCount] = payload.loadUnaligned(as: UInt32.self)
                lists.groupCount += 1
            case FAF_SPEC_LIMIT.rawValue:
                let limit = payload.loadUnaligned(as: faf_spec_limit.self)
                lists.limits[lists.limitCount] = faf_limit(
                    resource: limit.resource, reserved: 0, soft: limit.soft, hard: limit.hard)
                lists.limitCount += 1
            default: break
            }
        }
        self = lists
        return hasRoom
    }
}
