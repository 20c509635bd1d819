public import TaskModel

/// Decides what happens to one run. Pure: reads no clock, opens nothing; the driver feeds events and executes effects.
///
///                     fire                                     start of fafd
///                       │                                           │
///                       ▼                                           ▼
///     refused ◄──── launching ◄───────── relaunch ─────────── unadopted
///                       │ committed + prepared: go                  │ found
///                       ▼                                           │
///                    atGate ◄───────────────────────────────────────┤
///                       │ passed                                    │
///                       ▼                                           │
///                   watching ◄──────────────────────────────────────┤
///                     │   │ shim gone, or record damaged            │
///             emptied │   ▼                                         │
///                     │ emptying ◄──────────────────────────────────┤
///                     ▼   │ nothing left                            │
///            ending or parking ◄────────────────────────────────────┘
///      end durable │       │ end and `queued` row durable
///                  ▼       ▼
///                over ◄── waiting ──► launching, with another attempt
///               cancelled          due
///
/// Launching and adopting meet at `atGate`: from there on nothing tells a run that this process fired from one that it
/// found. `RetryPolicy` tells an end that is the run's from one after which it is tried again. A launch whose row cannot
/// be stored goes back to where it came from (`unadopted`, or `waiting`), by way of `postponed` if its shim is still to
/// be sent away. `foreign` is an attempt whose record a newer version wrote: it can be killed, and is left alone
/// otherwise. A final run that somebody wants tried again begins as a fire does.
public struct RunMachine: Sendable, Hashable {
    private enum State: Sendable, Hashable {
        case launching(Launch)
        case refused(awaitsPreparation: Bool)
        /// The row of a launch could not be stored; its shim is still on its way, and is sent away. `parked`: the row
        /// as it is in the store, if that waits for a retry.
        case postponed(parked: Run?)
        case unadopted
        case atGate(AttemptObservation?)
        case watching(AttemptObservation)
        case foreign(String)
        case emptying(RunEnd)
        /// The end of this attempt is being stored, with the row that waits for the next.
        case parking(Attempt)
        case waiting
        case ending(wasWaiting: Bool)
        case over
    }

    /// Store commit and preparation of the shim, side by side.
    private struct Launch: Sendable, Hashable {
        enum Kind: Sendable, Hashable {
            case fired
            /// A final run, tried again for somebody who waits for an answer.
            case reopened(from: Run)
            /// An attempt that never ran is launched once more.
            case anew
            /// Another attempt; the row as it waited for it.
            case next(parked: Run)
        }

        var kind: Kind
        var isCommitted = false
        var isPrepared = false
        var failure: LaunchRefusal?

        /// Somebody waits for an answer; without one, nothing has happened.
        var isAsked: Bool {
            switch kind {
            case .fired, .reopened: true
            case .anew, .next: false
            }
        }

        /// What comes of it is told: with `next` to whoever did not want to wait, if somebody did not.
        var isToldOf: Bool { if case .anew = kind { false } else { true } }
    }

    /// A shim that dies at the gate has run nothing, so another is tried; but not forever.
    private static let launchLimit = 3
    private static let endRetryInterval = Duration.seconds(5)
    private static let lookInterval = Duration.seconds(1)
    /// µs until a launch is tried again that could not even begin.
    private static let postponement: UInt64 = 5_000_000
    /// How many attempts a row keeps: it is written, and sent to its shim, as a whole.
    static let attemptLimit = 100

    /// The row. While the run goes on its state is `starting`; `presented` tells the fine state.
    public private(set) var run: Run
    private var state: State
    private var launches = 0
    /// Came when nobody could hear them yet; handed over as soon as there is a shim.
    private var unheard: [StopRequest] = []
    /// Somebody wants the run to end, so it is not tried again.
    private var endRequest: StopRequest?
    /// Told to whoever fired once the end is durable: before, the next supervisor would find a row without a record, and
    /// launch what was refused.
    private var refusal: LaunchRefusal?
    /// What the end that is being stored sets off.
    private var events: [RunTrigger.Event] = []
    private let boot: BootID

    private init(run: Run, state: State, boot: BootID) {
        self.run = run
        self.state = state
        self.boot = boot
    }

    /// A run that is being fired: stores it and makes a shim ready.
    public static func fire(_ run: Run, boot: BootID) -> (RunMachine, [RunEffect]) {
        var machine = RunMachine(run: run, state: .launching(Launch(kind: .fired)), boot: boot)
        machine.launches = 1
        return (machine, [.commitAndPrepare(run, .insert)])
    }

    /// A final run gets another attempt now, and its retries are counted anew. If that cannot be launched, the run is as
    /// it was.
    public static func reopen(
        _ former: Run, script: CheckedScript, boot: BootID, fresh: InvocationID, outputEnd: UInt64? = nil
    ) -> (RunMachine, [RunEffect]) {
        var machine = RunMachine(run: former, state: .launching(Launch(kind: .reopened(from: former))), boot: boot)
        machine.run.script = script
        machine.run.retry = nil
        machine.run.endedAt = nil
        machine.beginAttempt(fresh, outputEnd)
        return (machine, [.commitAndPrepare(machine.run, .reopen(from: former))])
    }

    /// An active run whose row was found when the supervisor started. One that waits for its retry goes on waiting
    /// (see `due`); what became of any other is told by `found`.
    public static func adopt(_ run: Run, boot: BootID) -> RunMachine {
        var machine = RunMachine(run: run, state: run.state == .queued ? .waiting : .unadopted, boot: boot)
        if let request = run.retry?.askedToEnd {
            machine.endRequest = request
            machine.unheard = [request]
        }
        return machine
    }

    /// The end is stored and its traces are gone, or the run was refused: nothing more will happen.
    public var isOver: Bool { if case .over = state { true } else { false } }

    /// Its row or its shim is on the way, so who fired it is to be answered soon.
    public var isLaunching: Bool { if case .launching = state { true } else { false } }

    /// Its record is of use as long as somebody hears about it.
    public var wantsWatch: Bool {
        switch state {
        case .atGate, .watching: true
        case .launching, .refused, .postponed, .unadopted, .foreign, .emptying, .parking, .waiting, .ending, .over:
            false
        }
    }

    /// It waits for its next attempt.
    public var isWaiting: Bool { if case .waiting = state { true } else { false } }

    /// It waits for its next attempt, or will once that is stored.
    public var isBetweenAttempts: Bool {
        switch state {
        case .parking, .waiting, .ending(wasWaiting: true): true
        case .launching, .refused, .postponed, .unadopted, .atGate, .watching, .foreign, .emptying,
            .ending(wasWaiting: false), .over:
            false
        }
    }

    /// What it waits for; `nil` unless it does.
    public var awaited: (due: Moment, after: Int)? {
        guard case .waiting = state else { return nil }
        let atOnce = Moment(realtime: Timestamp(microseconds: 0), boottime: 0, boot: boot)
        return (run.retry?.due ?? atOnce, lastNumber)
    }

    /// Nobody has looked yet at what became of it.
    public var isUnadopted: Bool { if case .unadopted = state { true } else { false } }

    /// The row was acknowledged as stored; the run exists for callers.
    public var isStored: Bool {
        switch state {
        case .launching(let launch): !launch.isAsked || launch.isCommitted
        case .refused: false
        case .postponed, .unadopted, .atGate, .watching, .foreign, .emptying, .parking, .waiting, .ending, .over: true
        }
    }

    /// The attempt that has a shim, or a record, or will have; `nil` between two attempts.
    public var invocation: InvocationID? {
        if case .waiting = state { return nil }
        return run.attempts.last?.invocation
    }

    /// The row with the wish to end that no shim could hear; `nil`: there is none, or nothing depends on this process.
    public var unheardEnd: Run? {
        switch state {
        case .unadopted, .emptying:
            guard let endRequest else { return nil }
            var row = run
            row.retry = row.retry ?? RetryState()
            row.retry?.askedToEnd = endRequest
            return row
        case .launching, .refused, .postponed, .atGate, .watching, .foreign, .parking, .waiting, .ending, .over:
            return nil
        }
    }

    private var lastNumber: Int { run.attempts.last?.number ?? 0 }

    // MARK: Events

    public mutating func handle(_ event: RunEvent, _ context: EventContext) -> [RunEffect] {
        switch event {
        case .committed, .commitFailed, .prepared, .prepareFailed:
            launchAnswered(event, context)
        case .found(let finding):
            looked(finding, context)
        case .cgroupEmptied:
            emptied(context)
        case .stopRequested(let request):
            stopRequested(request, context)
        case .retryDue, .retryHeld, .retryRequested:
            retryEvent(event, context)
        case .endStored, .endRefused, .endRetryDue:
            endEvent(event, context)
        }
    }

    private mutating func launchAnswered(_ event: RunEvent, _ context: EventContext) -> [RunEffect] {
        switch state {
        case .launching(var launch):
            switch event {
            case .committed:
                launch.isCommitted = true
            case .prepared(let pid):
                launch.isPrepared = true
                run.attempts[run.attempts.count - 1].shimPID = pid
            case .prepareFailed(let refusal):
                launch.failure = refusal
            case .commitFailed(let refusal):
                return refuse(launch, refusal, context)
            case .found, .cgroupEmptied, .stopRequested, .retryDue, .retryHeld, .retryRequested, .endStored,
                .endRefused, .endRetryDue:
                return []
            }
            return proceed(launch, context)
        case .refused(awaitsPreparation: true):
            state = .over
            return event.isPrepared ? [.withhold] : []
        case .postponed(let parked):
            return (event.isPrepared ? [.withhold] : []) + backOff(to: parked, context)
        case .refused(awaitsPreparation: false), .unadopted, .atGate, .watching, .foreign, .emptying, .parking,
            .waiting, .ending, .over:
            // Each launch answers once, and the state is left only when both answers are in.
            return []
        }
    }

    private mutating func looked(_ finding: Finding, _ context: EventContext) -> [RunEffect] {
        switch state {
        case .unadopted, .atGate, .watching, .foreign:
            return found(finding, context) + handOverStops()
        case .launching, .refused, .postponed, .emptying, .parking, .waiting, .ending, .over:
            // A late look at the record: what it could tell is decided already.
            return []
        }
    }

    private mutating func emptied(_ context: EventContext) -> [RunEffect] {
        switch state {
        case .emptying(let end):
            return finish(end, context)
        case .foreign:
            // Its own version will read how it ended.
            return []
        case .launching, .refused, .postponed, .unadopted, .atGate, .watching, .parking, .waiting, .ending, .over:
            // The supervisor's own cgroup.kill, sent because a shim did not kill in time: the record tells the rest.
            return []
        }
    }

    private mutating func stopRequested(_ request: StopRequest, _ context: EventContext) -> [RunEffect] {
        if request.cause.endsRun { endRequest = endRequest ?? request }
        switch state {
        case .launching, .postponed, .unadopted:
            // Asked twice is asked once; so nobody can make this grow in the meantime.
            if !unheard.contains(request) { unheard.append(request) }
            return []
        case .atGate, .watching:
            return attemptEffects { [.request($0.invocation, request)] }
        case .foreign:
            return attemptEffects { [.emptyCgroup($0.invocation, attempt: $0.number)] }
        case .waiting:
            return request.cause.endsRun ? cancel(request, context) : []
        case .emptying, .parking, .ending, .over, .refused:
            // It is ending already; cgroup.kill is on its way or done. What would wait for a retry then is cancelled.
            return []
        }
    }

    private mutating func retryEvent(_ event: RunEvent, _ context: EventContext) -> [RunEffect] {
        switch state {
        case .waiting:
            switch event {
            case .retryHeld(let refusal):
                run.reason = Reason(.resources, refusal.message)
                return []
            case .retryRequested:
                return launchNext(RetryState(), context)
            case .retryDue(let number):
                // Else the clock of an earlier wait, which somebody has cut short.
                return number == lastNumber ? launchNext(run.retry, context) : []
            case .committed, .commitFailed, .prepared, .prepareFailed, .found, .cgroupEmptied, .stopRequested,
                .endStored, .endRefused, .endRetryDue:
                return []
            }
        case .launching, .refused, .postponed, .unadopted, .atGate, .watching, .foreign, .emptying, .parking, .ending,
            .over:
            // It waits no more: somebody has cut the wait short, or cancelled it.
            return []
        }
    }

    private mutating func endEvent(_ event: RunEvent, _ context: EventContext) -> [RunEffect] {
        switch state {
        case .parking, .ending:
            if case .endRefused = event { return [.retryEnd(after: Self.endRetryInterval)] }
            if case .endRetryDue = event { return [.storeEnd(run, events)] }
            events = []
            let kept = keepOutput
            if case .parking(let attempt) = state {
                return kept + [.clean(attempt.invocation, attempt: attempt.number)] + beginWaiting(context)
            }
            state = .over
            return (refusal.map { [.refuse(.launch($0))] } ?? []) + kept
                + attemptEffects { [.clean($0.invocation, attempt: $0.number)] }
        case .launching, .refused, .postponed, .unadopted, .atGate, .watching, .foreign, .emptying, .waiting, .over:
            // An end is stored in `parking` and `ending` only, and the state is left by its answer.
            return []
        }
    }

    /// Of the attempt whose end was stored just now, unless it cannot have run.
    private var keepOutput: [RunEffect] {
        guard let attempt = run.attempts.last else { return [] }
        let hasRun =
            switch state {
            case .parking(let ended): ended.invocation == attempt.invocation
            case .ending(wasWaiting: false): refusal == nil
            case .ending(wasWaiting: true), .launching, .refused, .postponed, .unadopted, .atGate, .watching, .foreign,
                .emptying, .waiting, .over:
                false
            }
        return hasRun ? [.keepOutput(run, attempt)] : []
    }

    // MARK: Launching

    private mutating func proceed(_ launch: Launch, _ context: EventContext) -> [RunEffect] {
        guard launch.isCommitted, launch.isPrepared || launch.failure != nil else {
            state = .launching(launch)
            return []
        }
        if let failure = launch.failure {
            if failure.isTasksUnitDown, !launch.isAsked { return park(launch, failure, context) }
            if case .next = launch.kind { return [.refuse(.launch(failure))] + failed(launch, failure, context) }
            return failed(launch, failure, context)
        }
        state = .atGate(nil)
        return [.go] + (launch.isToldOf ? [.acknowledge] : []) + handOverStops()
            + attemptEffects { [.watch($0.invocation)] }
    }

    private mutating func failed(
        _ launch: Launch, _ failure: LaunchRefusal, _ context: EventContext
    ) -> [RunEffect] {
        let reason = Reason(failure.isResource ? .resources : .exec, failure.message)
        var end = RunEnd(state: .failed, reason: reason, endedAt: context.now.realtime)
        if launch.isAsked {
            refusal = failure
            end.mayBeRetried = false
        }
        if case .reopened(let former) = launch.kind {
            run = former
            state = .ending(wasWaiting: false)
            return [.storeEnd(former, [])]
        }
        return finish(end, context)
    }

    /// The stops that nobody could hear before, if there is a shim now.
    private mutating func handOverStops() -> [RunEffect] {
        guard wantsWatch, !unheard.isEmpty else { return [] }
        let stops = unheard
        unheard = []
        return attemptEffects { attempt in stops.map { .request(attempt.invocation, $0) } }
    }

    private mutating func refuse(
        _ launch: Launch, _ refusal: StoreRefusal, _ context: EventContext
    ) -> [RunEffect] {
        let isSettled = launch.isPrepared || launch.failure != nil
        let effects: [RunEffect] =
            (launch.isPrepared ? [.withhold] : []) + (launch.isToldOf ? [.refuse(.store(refusal))] : [])
        let parked: Run?
        switch launch.kind {
        case .fired, .reopened:
            state = isSettled ? .over : .refused(awaitsPreparation: true)
            return effects
        case .anew: parked = nil
        case .next(let row): parked = row
        }
        // The old row stands, so the run is as it was found: it is launched when the store can hold it.
        guard isSettled else {
            state = .postponed(parked: parked)
            return effects
        }
        return effects + backOff(to: parked, context)
    }

    /// Nothing has changed on disk: look, or wait, and try again.
    private mutating func backOff(to parked: Run?, _ context: EventContext) -> [RunEffect] {
        guard let parked else {
            launches -= 1
            state = .unadopted
            return attemptEffects { [.lookAgain($0.invocation, after: Self.endRetryInterval)] }
        }
        run = parked
        postpone(context)
        return beginWaiting(context)
    }

    /// Not sooner than it was to be anyway: somebody may have wanted it before its time.
    private mutating func postpone(_ context: EventContext) {
        let later = context.now.advanced(by: Self.postponement)
        run.retry = run.retry ?? RetryState()
        if let due = run.retry?.due, due.microseconds(since: later) > 0 { return }
        run.retry?.due = later
    }

    /// Nothing can be launched now, and nothing is wrong with the run: back to the queue, as if it had not been tried.
    private mutating func park(_ launch: Launch, _ failure: LaunchRefusal, _ context: EventContext) -> [RunEffect] {
        guard let attempt = run.attempts.last else { return [] }
        if case .next(let parked) = launch.kind { run = parked } else { run.attempts.removeLast() }
        run.state = .queued
        run.reason = Reason(.resources, failure.message)
        postpone(context)
        state = .parking(attempt)
        return [.refuse(.launch(failure)), .storeEnd(run, [])]
    }

    /// The attempt never ran: it gets a new invocation id, so that a shim of the old one that is still about can
    /// never meet it.
    private mutating func relaunch(_ context: EventContext) -> [RunEffect] {
        guard let old = run.attempts.last else { return finish(.noAttempt(context), context) }
        guard launches < Self.launchLimit else {
            let text = "its shim died before it could run the script, \(launches) times"
            return finish(
                RunEnd(state: .failed, reason: Reason(.resources, text), endedAt: context.now.realtime), context)
        }
        launches += 1
        var attempt = Attempt(number: old.number, invocation: context.fresh, boot: boot)
        attempt.outputStart = old.outputStart
        run.attempts[run.attempts.count - 1] = attempt
        state = .launching(Launch(kind: .anew))
        return [.clean(old.invocation, attempt: old.number), .commitAndPrepare(run, .replace)]
    }

    private mutating func launchNext(_ retry: RetryState?, _ context: EventContext) -> [RunEffect] {
        let parked = run
        run.retry = retry
        run.retry?.due = nil
        beginAttempt(context.fresh, context.outputEnd)
        state = .launching(Launch(kind: .next(parked: parked)))
        return [.commitAndPrepare(run, .replace)]
    }

    /// What the last attempt said of itself does not hold for the next.
    private mutating func beginAttempt(_ fresh: InvocationID, _ outputEnd: UInt64?) {
        var attempt = Attempt(number: lastNumber + 1, invocation: fresh, boot: boot)
        attempt.state = .starting
        attempt.outputStart = outputEnd
        run.attempts = run.attempts.suffix(Self.attemptLimit - 1) + [attempt]
        run.state = .starting
        run.reason = nil
        run.status = nil
        run.progress = nil
        run.resultText = nil
        launches = 1
    }

    // MARK: Watching and adopting

    /// The start-up table of the design, which is also all that happens to a run that was just launched.
    private mutating func found(_ finding: Finding, _ context: EventContext) -> [RunEffect] {
        guard let attempt = run.attempts.last else { return finish(.noAttempt(context), context) }
        switch finding {
        case .unreadable:
            return [.lookAgain(attempt.invocation, after: Self.lookInterval)]
        case .newer(let text):
            state = .foreign(text)
            return []
        case .damaged(let text):
            let reason = Reason(.lost, "its record is damaged: \(text)")
            var end = RunEnd(state: .lost, reason: reason, endedAt: context.now.realtime)
            end.mayBeRetried = false
            state = .emptying(end)
            return [
                .setAside(attempt.invocation, why: text),
                .emptyCgroup(attempt.invocation, attempt: attempt.number),
            ]
        case .nothing:
            if attempt.boot != boot { return rebooted(context) }
            switch state {
            case .watching, .foreign:
                // It has run, so this attempt is not launched again.
                return lose("its record has vanished", attempt, context)
            case .unadopted, .atGate, .launching, .refused, .postponed, .emptying, .parking, .waiting, .ending, .over:
                return relaunch(context)
            }
        case .observation(let observation, let isEnd):
            if isEnd || observation.phase == .emptied {
                return finish(RunEnd(observation, settings: run.settings), context)
            }
            if observation.boot != boot { return rebooted(context) }
            let isHeld = observation.shimPID != nil
            let isKnown: Bool
            switch state {
            case .atGate(let last?): isKnown = last.shimPID == observation.shimPID
            case .watching: isKnown = true
            case .atGate(nil), .unadopted, .foreign, .launching, .refused, .postponed, .emptying, .parking, .waiting,
                .ending, .over:
                isKnown = false
            }
            switch (observation.phase, isHeld) {
            case (.gate, true):
                state = .atGate(observation)
                return isKnown ? [] : [.watch(attempt.invocation)]
            case (.gate, false):
                return relaunch(context)
            case (.passed, true), (.started, true), (.exited, true):
                let wasWatched = wantsWatch
                state = .watching(observation)
                return wasWatched ? [] : [.watch(attempt.invocation)]
            case (.passed, false), (.started, false):
                return lose("its shim vanished without leaving an end", attempt, observation: observation, context)
            case (.exited, false):
                state = .emptying(RunEnd(observation, settings: run.settings, endedAt: context.now.realtime))
                return [.emptyCgroup(attempt.invocation, attempt: attempt.number)]
            case (.emptied, _):
                return finish(RunEnd(observation, settings: run.settings), context)
            }
        }
    }

    private mutating func rebooted(_ context: EventContext) -> [RunEffect] {
        let reason = Reason(.reboot, "the machine restarted while it ran")
        return finish(RunEnd(state: .lost, reason: reason, endedAt: context.now.realtime), context)
    }

    private mutating func lose(
        _ text: String, _ attempt: Attempt, observation: AttemptObservation? = nil, _ context: EventContext
    ) -> [RunEffect] {
        var end = RunEnd(state: .lost, reason: Reason(.lost, text), endedAt: context.now.realtime)
        end.observation = observation
        state = .emptying(end)
        return [.emptyCgroup(attempt.invocation, attempt: attempt.number)]
    }

    // MARK: Ending

    /// An attempt has ended: the run is over, or waits for the next one. Either way one row says both.
    private mutating func finish(_ end: RunEnd, _ context: EventContext) -> [RunEffect] {
        end.apply(to: &run)
        // What nobody of this attempt could hear is not meant for the next one.
        unheard = []
        var end = end
        if endRequest != nil { end.mayBeRetried = false }
        let decision = RetryPolicy.decide(
            end, run.settings, run.retry ?? RetryState(), ended: end.moment(now: context.now),
            random: context.random)
        switch (decision, run.attempts.last) {
        case (.again(let retry, let text), let attempt?):
            run.state = .queued
            run.endedAt = nil
            run.retry = retry
            run.reason?.text += "; " + text
            state = .parking(attempt)
        case (.over(let note), _):
            if let note { run.reason?.text += "; " + note }
            state = .ending(wasWaiting: false)
        case (.again, nil):
            state = .ending(wasWaiting: false)
        }
        // Whoever has stopped it, or is told that it was not fired, knows.
        let isNews = refusal == nil && endRequest == nil && !end.wasAskedFor
        events = isNews || end.state == .succeeded ? end.setsOff(isOver: run.state.isFinal) : []
        return [.storeEnd(run, events)]
    }

    /// The row waits, and so does the run; unless somebody wants it to end.
    private mutating func beginWaiting(_ context: EventContext) -> [RunEffect] {
        if let endRequest { return cancel(endRequest, context) }
        state = .waiting
        return awaited.map { [.awaitRetry($0.due, after: $0.after)] } ?? []
    }

    private mutating func cancel(_ request: StopRequest, _ context: EventContext) -> [RunEffect] {
        run.state = .cancelled
        run.reason = Reason(.cancelled, "cancelled by uid \(request.uid) before attempt \(lastNumber + 1)")
        run.endedAt = context.now.realtime
        run.retry?.due = nil
        state = .ending(wasWaiting: true)
        return [.storeEnd(run, [])]
    }

    private func attemptEffects(_ effects: (Attempt) -> [RunEffect]) -> [RunEffect] {
        run.attempts.last.map(effects) ?? []
    }

    // MARK: Presentation

    /// The run as callers see it: the row, with what its record says now.
    ///
    /// An end is shown only once it is durable, so until then the run is `stopping`.
    public func presented(with observation: AttemptObservation?) -> Run {
        switch state {
        case .over, .waiting:
            return run
        case .ending(wasWaiting: true):
            var shown = run
            shown.state = .queued
            shown.endedAt = nil
            return shown
        case .parking, .ending(wasWaiting: false):
            var shown = run
            shown.state = .stopping
            shown.reason = nil
            shown.endedAt = nil
            shown.withdrawAttemptEnd()
            return shown
        case .launching, .refused, .postponed, .unadopted, .atGate, .watching, .foreign, .emptying:
            var shown = run
            shown.overlay(observation)
            if case .emptying = state { shown.setLiveState(.stopping) }
            if case .foreign = state, observation == nil { shown.setLiveState(.running) }
            return shown
        }
    }
}

extension RunEnd {
    fileprivate static func noAttempt(_ context: EventContext) -> RunEnd {
        var end = RunEnd(
            state: .lost, reason: Reason(.lost, "its row names no attempt"), endedAt: context.now.realtime)
        end.mayBeRetried = false
        return end
    }
}

extension RunEvent {
    fileprivate var isPrepared: Bool { if case .prepared = self { true } else { false } }
}

extension LaunchRefusal {
    /// The machine had no room, as opposed to something that is wrong with the task.
    fileprivate var isResource: Bool {
        // ENOMEM, EAGAIN, ENFILE, EMFILE, ENOSPC (errno(3), Linux).
        [12, 11, 23, 24, 28].contains(errno) || step == "mother" || step == "record"
    }
}
