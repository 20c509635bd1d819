import Lifecycle
public import Logging
public import Store
public import TaskModel

/// Drives the machines of all runs that are not over: feeds them facts, executes their effects in order.
///
/// Decisions are `RunMachine`'s; this actor only carries them out. It fires runs and counts them from the beginning;
/// whatever else is asked of it waits for `rowsAreRead`. What became of those rows is looked up in the background, and at
/// once for a run that somebody asks for.
public actor Supervisor {
    /// An object: a thousand bytes and dozens of references are not to be copied at every event, nor to lie in a table
    /// that doubles when it is full.
    final class Live {
        var machine: RunMachine
        var gate: (any PreparedShim)?
        var fire: FireAnswer?
        /// The attempt that is killed if its shim does not, and when it is looked whether that is so.
        var guarded: (attempt: InvocationID, due: SuspendingClock.Instant)?
        /// `lookAgain` waits.
        var looksAgain = false
        /// Its silence was told already.
        var isSilent = false
        /// Whoever has cancelled it waits until that is durable.
        var cancels: [CheckedContinuation<StoreRefusal?, Never>] = []
        /// What follows on the end that is being stored: the same, however often that is tried.
        var followers: [Run]?

        init(machine: RunMachine, fire: FireAnswer? = nil) {
            self.machine = machine
            self.fire = fire
        }
    }

    /// Work that waits for disk, processes or time; done by `run`, so that no caller's cancellation can cut it short.
    enum Work: Sendable {
        case tellStarted(Run)
        case empty(RunID, InvocationID, attempt: Int)
        case later(RunID, RunEvent, after: Duration)
        case awaitRetry(RunID, Moment, after: Int)
        case lookAgain(RunID, after: Duration)
        case guardStops(at: SuspendingClock.Instant)
        case killIfOverdue(RunID, InvocationID)
        case keepOutput
        case adoptAll
        case orphans([InvocationID], after: Duration?)
        case restoreRow(Run, after: Duration)
        case sample(at: UInt64)
        case tidy
    }

    static let watchInterval = Duration.seconds(1)

    /// So long nothing has happened before what is no longer needed is given back.
    static let quietTime = Duration.seconds(3)

    let store: any Store
    let launching: any Launching
    let numbers: any Numbering
    var triggering: (any Triggering)?
    var output: (any OutputReading)?
    /// Where fires are begun.
    var executor: (any TaskExecutor)?
    let boot: BootID
    let now: @Sendable () -> Timestamp
    let bootTime: @Sendable () -> UInt64
    let tidy: @Sendable () -> Void
    let log: Logger

    enum Rows {
        case unread([CheckedContinuation<StoreError?, Never>])
        case read
        case unreadable(StoreError)
    }

    var rows = Rows.unread([])
    /// Runs that were over before the rows were read, which may show them as active still.
    var overBeforeRows: Set<RunID> = []
    var live: [RunID: Live] = [:]
    var byInvocation: [InvocationID: RunID] = [:]
    var orphans: Set<InvocationID> = []
    /// What is being told was read after its watch had begun.
    var adopting: InvocationID?
    /// The attempts whose conditions are looked at, or were met.
    var watched: [InvocationID: Watched] = [:]
    /// µs of CLOCK_BOOTTIME when that is done next; `.max`: nothing is waited for.
    var samplesAt = UInt64.max
    /// When it is looked next whether attempts were killed in time; `nil`: none is waited for.
    var guardsAt: SuspendingClock.Instant?
    /// For the next machine that needs them: to ask the kernel each time costs more than most decisions.
    var chance = (fresh: InvocationID.random(), random: UInt64.random(in: 0 ... .max))
    /// Counts what machines are told.
    var happenings: UInt64 = 0
    /// A quiet moment is waited for.
    var isTidying = false
    /// Their last lines are to be kept.
    var endedAttempts: [EndedAttempt] = []
    /// That is being done.
    var keepsOutput = false
    /// Final runs that are about to be tried again.
    var reopening: Set<RunID> = []
    /// Those of the latest fires.
    var recentSettings: [Shared<TaskSettings>] = []
    /// Being stored now.
    var endsOnTheirWay = 0
    /// Woken whenever one of what they wait for may be over.
    var drains: [CheckedContinuation<Void, Never>] = []
    var feeds: [ObjectIdentifier: ChangeFeed] = [:]
    /// Those who want to hear what tasks say.
    var wordFeeds: Set<ObjectIdentifier> = []
    let work: AsyncStream<Work>
    let enqueue: AsyncStream<Work>.Continuation

    /// - Parameters:
    ///   - now: CLOCK_REALTIME, for display.
    ///   - bootTime: CLOCK_BOOTTIME in µs, for deadlines.
    ///   - tidy: called when nothing has happened for some seconds, after the start and whenever something has.
    public init(
        store: any Store, launching: any Launching, numbers: any Numbering, boot: BootID,
        now: @escaping @Sendable () -> Timestamp, bootTime: @escaping @Sendable () -> UInt64,
        tidy: @escaping @Sendable () -> Void = {}, log: Logger
    ) {
        self.store = store
        self.launching = launching
        self.numbers = numbers
        self.boot = boot
        self.now = now
        self.bootTime = bootTime
        self.tidy = tidy
        self.log = log
        (work, enqueue) = AsyncStream.makeStream(of: Work.self, bufferingPolicy: .unbounded)
    }

    // MARK: Life

    /// Call it once, before the first caller is served.
    /// - Parameters:
    ///   - triggering: knows the tasks that follow on others; `nil`: there are none.
    ///   - output: `nil`: no last lines are kept.
    ///   - executor: that of the fires' callers; `nil`: they have none.
    public func join(
        triggering: (any Triggering)?, output: (any OutputReading)?, executor: (any TaskExecutor)? = nil
    ) {
        self.triggering = triggering
        self.executor = executor
        self.output = output
        launching.hearWords(false)
    }

    /// Adopts, watches and ends runs until the task is cancelled. Runs go on without it: their shims keep them.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.followEvents() }
            for await item in work {
                group.addTask { await self.perform(item) }
            }
            group.cancelAll()
        }
        while endsOnTheirWay > 0 { await withCheckedContinuation { drains.append($0) } }
        for feed in feeds.values { feed.close() }
    }

    /// Returns as soon as nobody else is served: a sign of life.
    public func answers() {}

    /// Returns when every fire that is being launched is answered. One whose refusal cannot be stored is not waited for:
    /// whoever fired it loses the connection, and so knows that it may run.
    public func drain() async {
        while live.values.contains(where: { $0.fire != nil && $0.machine.isLaunching }) {
            await withCheckedContinuation { drains.append($0) }
        }
    }

    private func followEvents() async {
        // All that has happened at once: each time that somebody else is waited for costs as much as a look.
        for await events in launching.events {
            for event in events { follow(event) }
        }
    }

    private func follow(_ event: AttemptEvent) {
        switch event {
        case .changed(let id), .shimGone(let id):
            if let run = byInvocation[id] {
                look(run)
            } else if orphans.contains(id) {
                enqueue.yield(.orphans([id], after: nil))
            }
        case .overflow:
            log.warning("events about records were lost, reading all of them again")
            for id in Array(live.keys) { look(id) }
        }
    }
}
