import CLinux
import CRecord

/// One attempt, from its specification to its durable end. The shim's whole life.
func runAttempt(gate fd: Int32) -> Never {
    faf_restore_child_signal()
    let gate = Gate(fd: fd)
    do throws(StepFailure) {
        guard let pages = try gate.receiveSpecification() else { faf_exit(0) }
        guard let specification = try? Specification(pages.bytes) else {
            throw StepFailure(FAF_STEP_SPECIFICATION, FAF_EBADMSG)
        }
        guard let paths = Paths(specification) else { throw StepFailure(FAF_STEP_SPECIFICATION, FAF_ENOMEM) }
        var attempt = Attempt(specification, paths)
        do throws(StepFailure) {
            try attempt.prepare(specification)
        } catch {
            attempt.undo(specification)
            throw error
        }
        gate.isReady()
        guard gate.waitForGo(), attempt.pass() else {
            attempt.undo(specification)
            faf_exit(0)
        }
        faf_close(fd)
        do throws(StepFailure) {
            try attempt.launch(specification)
        } catch {
            attempt.notStarted(error)
        }
        faf_unmap(pages.base, pages.size)
        attempt.watch()
        attempt.end()
    } catch {
        gate.fail(error)
        faf_exit(1)
    }
    faf_exit(0)
}

/// The names that the shim needs for life.
struct Paths {
    let record, temporaryRecord: UnsafePointer<CChar>
    let ends, end, temporaryEnd: UnsafePointer<CChar>
    let notify, cgroup, io: UnsafePointer<CChar>?
    /// Room for the cgroup's name in the hierarchy.
    let cgroupName: UnsafeMutablePointer<CChar>
    static var cgroupNameSize: Int { 1536 }

    init?(_ specification: Specification) {
        // Room for the longest names; untouched pages cost nothing.
        guard var arena = Arena(size: 16 * 4096), let records = specification.first(FAF_SPEC_RECORDS_DIR),
            let endsText = specification.first(FAF_SPEC_ENDS_DIR),
            let record = arena.path(in: records, "", specification.core, ""),
            let temporaryRecord = arena.path(in: records, ".", specification.core, ".new"),
            let ends = arena.copy(endsText), let end = arena.path(in: endsText, "", specification.core, ""),
            let temporaryEnd = arena.path(in: endsText, ".", specification.core, ".new"),
            let nameRoom = arena.room(Paths.cgroupNameSize)
        else { return nil }
        self.record = record
        self.temporaryRecord = temporaryRecord
        self.ends = ends
        self.end = end
        self.temporaryEnd = temporaryEnd
        cgroupName = nameRoom.bindMemory(to: CChar.self, capacity: Paths.cgroupNameSize)
        notify = specification.first(FAF_SPEC_NOTIFY_PATH).flatMap { arena.copy($0) }
        cgroup = specification.first(FAF_SPEC_CGROUP).flatMap { arena.copy($0) }
        io = specification.first(FAF_SPEC_IO_DIR).flatMap { arena.copy($0) }
    }
}

/// What is known of the attempt while it lives. One thread; methods by topic in the files beside this one.
struct Attempt: ~Copyable {
    let core: faf_spec_core
    let paths: Paths
    var record = Record(fd: -1)

    /// What `prepare` has made and `undo` has to remove.
    var hasRecord = false
    var hasSocket = false
    var hasCgroup = false
    var hasDirectory = false

    var notify: Int32 = -1
    var signals: Int32 = -1
    var timer: Int32 = -1
    var cgroup: Int32 = -1
    /// cgroup.events of the attempt's cgroup.
    var events: Int32 = -1
    /// memory.events, if OOMPolicy=stop.
    var memory: Int32 = -1
    /// Of the cgroup's name in the hierarchy, as /proc has it (`paths.cgroupName`).
    var cgroupNameLength = 0

    /// The process that was cloned.
    var script: Int32 = 0
    /// The one whose end is the attempt's: the script, or what MAINPID= named.
    var main: Int32 = 0
    var mainDescriptor: Int32 = -1
    var mainHasEnded = false
    /// How, as long as the record does not have it: it comes with the end of all if nothing else is left.
    var exited: faf_record_exited?

    var stop: StopSequence
    /// WatchdogSec=; 0 or `never`: none.
    let watchdog: UInt64
    /// The sequence as the record has it.
    var recordedStop: StopSequence.Stop?
    var stopRealtime: UInt64 = 0
    /// As the record has them.
    var recordedClocks = faf_record_clocks(
        flags: 0, frozen_by: UInt32.max, frozen_realtime_us: 0, silent_realtime_us: 0,
        limit_boottime_us: StopSequence.never)
    var extensions = RateLimiter()
    var watchesEvents = true
    var isFrozen = false
    var frozenBy = UInt32.max
    /// What the timer is set to; 0: it has fired.
    var armed = StopSequence.never

    var said = faf_record_said()
    var limiter = RateLimiter()
    /// One datagram, then the latest status, then the latest result: pages that are touched only by who uses them.
    var texts: UnsafeMutableRawPointer?
    var statusLength: Int?
    var resultLength: Int?
    var progress: faf_record_progress?

    init(_ specification: Specification, _ paths: Paths) {
        core = specification.core
        self.paths = paths
        let times = Attempt.times(specification)
        watchdog = times.watchdog_us
        stop = StopSequence(Attempt.policy(specification, times), Attempt.limits(specification, times))
    }
}
