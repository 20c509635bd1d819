public import Lifecycle
public import Logging
public import Store
public import TaskModel

/// Drives the machines of all runs that are not over: feeds them facts, executes their effects in order.
///
/// Decisions are `RunMachine`'s; this actor only carries them out. After `start` it knows every active row and answers;
/// what became of those rows is looked up in the background, and at once for a run that somebody asks for.
public actor Supervisor {
    struct Live {
        var machine: RunMachine
        var gate: (any PreparedShim)?
        var fire: FireAnswer?
        /// The attempt that `guardStop` waits for.
        var guarded: InvocationID?
        /// `lookAgain` waits.
        var looksAgain = false
        /// Its silence was told already.
        var isSilent = false
        /// Whoever has cancelled it waits until that is durable.
        var cancels: [CheckedContinuation<StoreRefusal?, Never>] = []
        /// What follows on the end that is being stored: the same, however often that is tried.
        var followers: [Run]?
    }

    /// Work that waits for disk, processes or time; done by `run`, so that no caller's cancellation can cut it short.
    enum Work: Sendable {
        case empty(RunID, InvocationID, attempt: Int)
        case storeEnd(RunID, Run, [RunTrigger.Event])
        case later(RunID, RunEvent, after: Duration)
        case awaitRetry(RunID, Moment, after: Int)
        case lookAgain(RunID, after: Duration)
        case guardStop(RunID, InvocationID, after: Duration)
        case keepOutput
        case adoptAll
        case orphans([InvocationID], after: Duration?)
        case restoreRow(Run, after: Duration)
        case sample(at: UInt64)
    }

    /// How long after the end of a grace period the supervisor kills by itself, if the shim did not (design: 5 s).
    private static let guardDelay = Duration.seconds(5)

    private static let watchInterval = Duration.seconds(1)

    let store: any Store
    let launching: any Launching
    let numbers: any Numbering
    var triggering: (any Triggering)?
    var output: (any OutputReading)?
    let boot: BootID
    let now: @Sendable () -> Timestamp
    let bootTime: @Sendable () -> UInt64
    let log: Logger

    var live: [RunID: Live] = [:]
    var byInvocation: [InvocationID: RunID] = [:]
    var orphans: Set<InvocationID> = []
    /// The attempts whose conditions are looked at, or were met.
    var watched: [InvocationID: Watched] = [:]
    /// µs of CLOCK_BOOTTIME when that is done next; `.max`: nothing is waited for.
    var samplesAt = UInt64.max
    /// Their last lines are to be kept.
    var endedAttempts: [EndedAttempt] = []
    /// Final runs that are about to be tried again.
    var reopening: Set<RunID> = []
    private var drains: [CheckedContinuation<Void, Never>] = []
    var feeds: [ObjectIdentifier: ChangeFeed] = [:]
    private let work: AsyncStream<Work>
    let enqueue: AsyncStream<Work>.Continuation

    /// - Parameters:
    ///   - now: CLOCK_REALTIME, for display.
    ///   - bootTime: CLOCK_BOOTTIME in µs, for deadlines.
    public init(
        store: any Store, launching: any Launching, numbers: any Numbering, boot: BootID,
        now: @escaping @Sendable () -> Timestamp, bootTime: @escaping @Sendable () -> UInt64, log: Logger
    ) {
        self.store = store
        self.launching = launching
        self.numbers = numbers
        self.boot = boot
        self.now = now
        self.bootTime = bootTime
        self.log = log
        (work, enqueue) = AsyncStream.makeStream(of: Work.self, bufferingPolicy: .unbounded)
    }

    // MARK: Life

    /// Reads the active rows. Call it once, before the first caller is served.
    /// - Parameters:
    ///   - triggering: knows the tasks that follow on others; `nil`: there are none.
    ///   - output: `nil`: no last lines are kept.
    public func start(
        triggering: (any Triggering)? = nil, output: (any OutputReading)? = nil
    ) async throws(StoreError) {
        self.triggering = triggering
        self.output = output
        for run in try await store.activeRuns() {
            let machine = RunMachine.adopt(run, boot: boot)
            live[run.id] = Live(machine: machine)
            machine.invocation.map { byInvocation[$0] = run.id }
            if let wait = machine.awaited { enqueue.yield(.awaitRetry(run.id, wait.due, after: wait.after)) }
        }
        enqueue.yield(.adoptAll)
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
        for await event in launching.events {
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

    // MARK: Callers

    /// Fires a run. Returns when its row is durable and its shim has its go.
    public nonisolated func fire(_ request: FireRequest) async throws(FireRefusal) -> Run {
        let id: RunID
        do { id = try await numbers.next() } catch { throw .store(error) }
        var run = request.run(id, .starting, at: now())
        run.attempts = [Attempt(number: 1, invocation: .random(), boot: boot)]
        run.attempts[0].state = .starting
        // Waited for outside the actor, which has more to do for this run when the answer is there.
        return try await begin(run).value
    }

    private func begin(_ run: Run) -> FireAnswer {
        let (machine, effects) = RunMachine.fire(run, boot: boot)
        let answer = FireAnswer()
        live[run.id] = Live(machine: machine, fire: answer)
        byInvocation[run.attempts[0].invocation] = run.id
        execute(effects, for: run.id)
        return answer
    }

    /// The run as it is now: the row, with what its record says; `nil` if there is none.
    public func run(_ id: RunID) async throws(StoreError) -> Run? {
        if live[id]?.machine.isUnadopted == true { look(id) }
        if let shown = present(id) { return shown }
        return try await store.run(id)
    }

    /// The runs that are not over and that `isWanted`, newest first. Records of others are not read.
    public func activeRuns(task: String? = nil, where isWanted: @Sendable (Run) -> Bool = { _ in true }) -> [Run] {
        live.keys.sorted(by: >).compactMap { id in
            guard let run = live[id]?.machine.run, task == nil || run.task == task, isWanted(run) else { return nil }
            return present(id)
        }
    }

    /// Numbers of the runs that are not over.
    public func activeRuns(ofTask task: String) -> [RunID] {
        live.filter { $0.value.machine.run.task == task && $0.value.machine.isStored }.keys.sorted()
    }

    /// Runs that are over, newest first.
    public func finishedRuns(task: String?, before: RunID?, limit: Int) async throws(StoreError) -> [Run] {
        try await store.runs(RunQuery(task: task, isFinal: true, before: before, limit: limit))
    }

    /// Hands a stop request to the run's shim; `false` if the run is over, or ending already, or between two
    /// attempts: see `cancel`.
    public func stop(_ id: RunID, _ request: StopRequest) -> Bool {
        guard live[id] != nil else { return false }
        if live[id]?.machine.isUnadopted == true { look(id) }
        guard let entry = live[id], !entry.machine.isBetweenAttempts else { return false }
        if request.cause == .kill, case .microseconds(let grace) = entry.machine.run.settings.timeoutStop,
            entry.machine.run.settings.sendSIGKILL, entry.machine.run.settings.killMode != .none,
            let invocation = entry.machine.invocation, entry.guarded != invocation
        {
            guardStop(id, invocation, after: .microseconds(Int64(clamping: grace)) + Self.guardDelay)
        }
        deliver(.stopRequested(request), to: id)
        return true
    }

    /// Tells which runs change from now on, of those that match: what a caller may not see costs it and us nothing.
    /// `unsubscribe` ends it.
    public func subscribe(_ matches: @escaping @Sendable (Run) -> Bool = { _ in true }) -> ChangeFeed {
        let feed = ChangeFeed(matches)
        feeds[ObjectIdentifier(feed)] = feed
        return feed
    }

    /// The same, for these runs.
    public func subscribe(only: Set<RunID>) -> ChangeFeed { subscribe { only.contains($0.id) } }

    public func unsubscribe(_ feed: ChangeFeed) {
        feeds[ObjectIdentifier(feed)] = nil
        feed.close()
    }

    // MARK: Facts

    /// Reads the attempt's record and tells the machine.
    func look(_ id: RunID) {
        guard let invocation = live[id]?.machine.invocation else { return }
        let finding = find(invocation)
        follow(finding)
        deliver(.found(finding), to: id)
        if case .observation(let observation, _) = finding { tellSilence(observation, of: id) }
        if case .observation(let observation, _) = finding, let deadline = observation.stopDeadline,
            live[id]?.guarded != invocation
        {
            let now = bootTime()
            let left = Duration.microseconds(Int64(clamping: deadline > now ? deadline - now : 0))
            guardStop(id, invocation, after: left + Self.guardDelay)
        }
    }

    private func tellSilence(_ observation: AttemptObservation, of id: RunID) {
        let isSilent = observation.clocks.silentSince != nil
        guard let entry = live[id], entry.isSilent != isSilent else { return }
        live[id]?.isSilent = isSilent
        guard isSilent else { return }
        let report = RunReport.silent(entry.machine.presented(with: observation))
        log.warning("\(report.message)", metadata: report.metadata)
    }

    func deliver(_ event: RunEvent, to id: RunID) {
        guard let index = live.index(forKey: id) else { return }
        // In its place: a machine is large, and to copy it takes longer than most events.
        let context = context(event, live.values[index].machine.run)
        let before = live.values[index].machine.invocation
        let effects = live.values[index].machine.handle(event, context)
        let isLaunching = live.values[index].machine.isLaunching
        let after = live.values[index].machine.invocation
        if after != before {
            if let before { (byInvocation[before], watched[before]) = (nil, nil) }
            after.map { byInvocation[$0] = id }
            live.values[index].isSilent = false
        }
        execute(effects, for: id)
        if !isLaunching { resumeDrains() }
        if !feeds.isEmpty, let run = live[id]?.machine.run {
            for feed in feeds.values { feed.publish(run) }
        }
        if live[id]?.machine.isOver == true { forget(id) }
    }

    var moment: Moment { Moment(realtime: now(), boottime: bootTime(), boot: boot) }

    private func context(_ event: RunEvent, _ run: Run) -> EventContext {
        var context = EventContext(now: moment, fresh: .random(), random: UInt64.random(in: 0 ... .max))
        switch event {
        case .retryDue, .retryRequested: context.outputEnd = output?.outputEnd(of: run)
        case .committed, .commitFailed, .prepared, .prepareFailed, .found, .cgroupEmptied, .stopRequested, .retryHeld,
            .endStored, .endRefused, .endRetryDue:
            break
        }
        return context
    }

    private func forget(_ id: RunID) {
        guard let entry = live.removeValue(forKey: id) else { return }
        if let last = entry.machine.invocation { (byInvocation[last], watched[last]) = (nil, nil) }
        for cancel in entry.cancels { cancel.resume(returning: nil) }
    }

    func present(_ id: RunID) -> Run? {
        guard let entry = live[id], entry.machine.isStored else { return nil }
        guard let invocation = entry.machine.invocation,
            case .observation(let observation, _) = find(invocation)
        else { return entry.machine.presented(with: nil) }
        return entry.machine.presented(with: observation)
    }

    // MARK: Effects

    func execute(_ effects: [RunEffect], for id: RunID) {
        for effect in effects { execute(effect, for: id) }
    }

    private func execute(_ effect: RunEffect, for id: RunID) {
        switch effect {
        case .commitAndPrepare(let run, let change):
            // Begun here and not by `run`: each hop between threads costs a fire as much as a system call. Neither
            // half is ended by a cancellation, and whoever waits for their end drains.
            Task.immediate { await self.prepare(id, run) }
            Task.immediate { self.deliver(await self.commit(run, change), to: id) }
        case .go:
            let gate = live[id]?.gate
            live[id]?.gate = nil
            // A shim that is no longer there is found out by the `watch` that follows.
            _ = gate?.go()
        case .withhold:
            live[id]?.gate?.withhold()
            live[id]?.gate = nil
        case .acknowledge:
            answer(id, .success(live[id]?.machine.presented(with: nil)))
            if let run = live[id]?.machine.run {
                let report = RunReport.started(run)
                log.info("\(report.message)", metadata: report.metadata)
            }
        case .refuse(let refusal):
            answer(id, .failure(refusal))
        case .watch(let invocation):
            let isWatched = launching.watch(invocation)
            look(id)
            // Its shim lives and nobody would hear of its end (no descriptor was left for its pidfd).
            if !isWatched, live[id]?.machine.invocation == invocation, live[id]?.machine.wantsWatch == true {
                lookAgain(id, after: Self.watchInterval)
            }
        case .request(let invocation, let request):
            if !launching.request(invocation, request) { look(id) }
        case .emptyCgroup(let invocation, let attempt):
            enqueue.yield(.empty(id, invocation, attempt: attempt))
        case .setAside(let invocation, let why):
            let path = launching.setAside(invocation)
            log.error(
                "run \(id): its record is damaged (\(why)); it is lost and is not run again",
                metadata: ["record": "\(path ?? invocation.description)"])
        case .storeEnd(let run, let events):
            enqueue.yield(.storeEnd(id, run, events))
        case .retryEnd(let delay):
            enqueue.yield(.later(id, .endRetryDue, after: delay))
        case .awaitRetry(let due, let number):
            enqueue.yield(.awaitRetry(id, due, after: number))
        case .lookAgain(_, let delay):
            lookAgain(id, after: delay)
        case .keepOutput(let run, let attempt):
            keepOutput(of: attempt, run)
        case .clean(let invocation, let attempt):
            launching.clean(invocation, run: id, attempt: attempt)
        }
    }

    private func answer(_ id: RunID, _ result: Result<Run?, FireRefusal>) {
        guard let fire = live[id]?.fire else { return }
        live[id]?.fire = nil
        switch result {
        case .success(let run?): fire.give(.success(run))
        case .success(nil):
            let refusal = StoreRefusal(message: "run \(id) is gone", remedy: "look at the log of fafd")
            fire.give(.failure(.store(refusal)))
        case .failure(let refusal): fire.give(.failure(refusal))
        }
    }

    private func lookAgain(_ id: RunID, after delay: Duration) {
        guard live[id]?.looksAgain == false else { return }
        live[id]?.looksAgain = true
        enqueue.yield(.lookAgain(id, after: delay))
    }

    private func resumeDrains() {
        let waiting = drains
        drains = []
        for drain in waiting { drain.resume() }
    }

    private func guardStop(_ id: RunID, _ invocation: InvocationID, after delay: Duration) {
        live[id]?.guarded = invocation
        enqueue.yield(.guardStop(id, invocation, after: delay))
    }

    // MARK: Work

    private func perform(_ work: Work) async {
        switch work {
        case .empty(let id, let invocation, let attempt):
            while await !launching.empty(invocation, run: id, attempt: attempt) {
                log.error("run \(id): its cgroup is not empty, trying again in 2 s")
                // The next supervisor goes on with it.
                do { try await Task.sleep(for: .seconds(2)) } catch { return }
            }
            deliver(.cgroupEmptied, to: id)
        case .storeEnd(let id, let run, let events):
            await storeEnd(id, run, events)
        case .later(let id, let event, let delay):
            do { try await Task.sleep(for: delay) } catch { return }
            deliver(event, to: id)
        case .awaitRetry(let id, let due, let number):
            await awaitRetry(id, due, after: number)
        case .lookAgain(let id, let delay):
            do { try await Task.sleep(for: delay) } catch { return }
            live[id]?.looksAgain = false
            if let machine = live[id]?.machine, machine.wantsWatch, let invocation = machine.invocation {
                execute(.watch(invocation), for: id)
            } else {
                look(id)
            }
        case .guardStop(let id, let invocation, let delay):
            await killIfOverdue(id, invocation, after: delay)
        case .keepOutput:
            await keepWaitingOutput()
        case .adoptAll:
            await adoptAll()
        case .orphans(let ids, let delay):
            if let delay {
                do { try await Task.sleep(for: delay) } catch { return }
            }
            for id in ids { await settle(orphan: id) }
        case .restoreRow(let run, let delay):
            do { try await Task.sleep(for: delay) } catch { return }
            await storeRestored(run)
        case .sample(let time):
            await sample(at: time)
        }
    }

    private nonisolated func commit(_ run: Run, _ change: RowChange) async -> RunEvent {
        do {
            switch change {
            case .insert: try await store.insert(run)
            case .replace: try await store.update(run)
            case .reopen(let former): try await store.reopen(run, from: former)
            }
            return .committed
        } catch {
            return .commitFailed(error.refusal)
        }
    }

    private func prepare(_ id: RunID, _ run: Run) async {
        guard let attempt = run.attempts.last else { return }
        do {
            let gate = try await launching.prepare(run, attempt)
            live[id]?.gate = gate
            deliver(.prepared(shimPID: gate.shimPID), to: id)
        } catch {
            deliver(.prepareFailed(error), to: id)
        }
    }

    private func storeEnd(_ id: RunID, _ run: Run, _ events: [RunTrigger.Event]) async {
        var refusal: StoreRefusal?
        var followers: [Run] = []
        do { followers = try await self.followers(of: run, events) } catch {
            log.error("run \(id): its end could not be stored (\(error.message)), retrying in 5 s")
            return deliver(.endRefused(error.message), to: id)
        }
        do {
            if run.state.isFinal {
                try await store.finish(run, with: followers)
            } else {
                try await store.update(run, with: followers)
            }
            let report = run.state.isFinal ? RunReport.ended(run) : RunReport.waits(run)
            log.info("\(report.message)", metadata: report.metadata)
            refusal = nil
        } catch .conflict(let text) {
            // No such row: the database was exchanged under us. Its record tells how it ended, so the row comes back.
            log.error("run \(id): \(text); storing the whole row")
            do {
                try await store.insert(run, with: followers)
                refusal = nil
            } catch {
                refusal = error.refusal
            }
        } catch {
            log.error("run \(id): its end could not be stored (\(error.refusal.message)), retrying in 5 s")
            refusal = error.refusal
        }
        if refusal != nil || run.state.isFinal {
            let cancels = live[id]?.cancels ?? []
            live[id]?.cancels = []
            for cancel in cancels { cancel.resume(returning: refusal) }
        }
        if refusal == nil {
            live[id]?.followers = nil
            begin(followers)
        }
        deliver(refusal.map { .endRefused($0.message) } ?? .endStored, to: id)
    }

    private func killIfOverdue(_ id: RunID, _ invocation: InvocationID, after delay: Duration) async {
        do { try await Task.sleep(for: delay, clock: .suspending) } catch { return }
        // Nobody has stopped the attempt that runs now.
        guard live[id]?.machine.invocation == invocation else { return }
        live[id]?.guarded = nil
        guard case .observation(let observation, _) = launching.find(invocation),
            observation.phase == .started || (observation.phase == .exited && observation.stopDeadline != nil)
        else { return }
        if let deadline = observation.stopDeadline, deadline > bootTime() {
            // One that was begun later than the one that set this clock.
            return guardStop(
                id, invocation, after: .microseconds(Int64(clamping: deadline - bootTime())) + Self.guardDelay)
        }
        log.error("run \(id): its shim did not kill it in time; killing its cgroup")
        _ = await launching.empty(invocation, run: id, attempt: observation.number)
    }
}
