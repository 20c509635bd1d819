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
///                    ending ◄───────────────────────────────────────┘
///                       │ end durable
///                       ▼
///                     over
///
/// Launching and adopting meet at `atGate`: from there on nothing tells a run that this process fired from one that it
/// found. A launch anew whose row cannot be stored goes back to `unadopted`, by way of `postponed` if its shim is still
/// to be sent away. `foreign` is an attempt whose record a newer version wrote: it can be killed, and is left alone
/// otherwise.
public struct RunMachine: Sendable, Hashable {
    private enum State: Sendable, Hashable {
        case launching(Launch)
        case refused(awaitsPreparation: Bool)
        /// The row of a launch anew could not be stored; its shim is still on its way, and is sent away.
        case postponed
        case unadopted
        case atGate(AttemptObservation?)
        case watching(AttemptObservation)
        case foreign(String)
        case emptying(RunEnd)
        case ending
        case over
    }

    /// Store commit and preparation of the shim, side by side.
    private struct Launch: Sendable, Hashable {
        var isNew: Bool
        var isCommitted = false
        var isPrepared = false
        var failure: LaunchRefusal?
    }

    /// A shim that dies at the gate has run nothing, so another is tried; but not forever.
    private static let launchLimit = 3
    private static let endRetryInterval = Duration.seconds(5)
    private static let lookInterval = Duration.seconds(1)

    /// The row. While the run goes on its state is `starting`; `presented` tells the fine state.
    public private(set) var run: Run
    private var state: State
    private var launches = 0
    /// Came when nobody could hear them yet; handed over as soon as there is a shim.
    private var unheard: [StopRequest] = []
    /// Told to whoever fired once the end is durable: before, the next supervisor would find a row without a record, and
    /// launch what was refused.
    private var refusal: LaunchRefusal?
    private let boot: BootID

    private init(run: Run, state: State, boot: BootID) {
        self.run = run
        self.state = state
        self.boot = boot
    }

    /// A run that is being fired: stores it and makes a shim ready.
    public static func fire(_ run: Run, boot: BootID) -> (RunMachine, [RunEffect]) {
        var machine = RunMachine(run: run, state: .launching(Launch(isNew: true)), boot: boot)
        machine.launches = 1
        return (machine, [.commitAndPrepare(run, isNew: true)])
    }

    /// An active run whose row was found when the supervisor started; what became of it is told by `found`.
    public static func adopt(_ run: Run, boot: BootID) -> RunMachine {
        RunMachine(run: run, state: .unadopted, boot: boot)
    }

    /// The end is stored and its traces are gone, or the run was refused: nothing more will happen.
    public var isOver: Bool { if case .over = state { true } else { false } }

    /// Its row or its shim is on the way, so who fired it is to be answered soon.
    public var isLaunching: Bool { if case .launching = state { true } else { false } }

    /// Its record is of use as long as somebody hears about it.
    public var wantsWatch: Bool {
        switch state {
        case .atGate, .watching: true
        case .launching, .refused, .postponed, .unadopted, .foreign, .emptying, .ending, .over: false
        }
    }

    /// Nobody has looked yet at what became of it.
    public var isUnadopted: Bool { if case .unadopted = state { true } else { false } }

    /// The row was acknowledged as stored; the run exists for callers.
    public var isStored: Bool {
        switch state {
        case .launching(let launch): !launch.isNew || launch.isCommitted
        case .refused: false
        case .postponed, .unadopted, .atGate, .watching, .foreign, .emptying, .ending, .over: true
        }
    }

    public var invocation: InvocationID? { run.attempts.last?.invocation }

    // MARK: Events

    /// - Parameters:
    ///   - now: CLOCK_REALTIME, for what the row shows.
    ///   - fresh: an invocation id that no attempt has had; used when the attempt is launched anew.
    public mutating func handle(_ event: RunEvent, now: Timestamp, fresh: InvocationID) -> [RunEffect] {
        switch (state, event) {
        case (.launching(let launch), .committed):
            var next = launch
            next.isCommitted = true
            return proceed(next, now: now)
        case (.launching(let launch), .prepared(let pid)):
            var next = launch
            next.isPrepared = true
            run.attempts[run.attempts.count - 1].shimPID = pid
            return proceed(next, now: now)
        case (.launching(let launch), .prepareFailed(let refusal)):
            var next = launch
            next.failure = refusal
            return proceed(next, now: now)
        case (.launching(let launch), .commitFailed(let refusal)):
            return refuse(launch, refusal)
        case (.launching, .stopRequested(let request)), (.postponed, .stopRequested(let request)),
            (.unadopted, .stopRequested(let request)):
            // Asked twice is asked once; so nobody can make this grow in the meantime.
            if !unheard.contains(request) { unheard.append(request) }
            return []

        case (.refused(awaitsPreparation: true), .prepared):
            state = .over
            return [.withhold]
        case (.refused(awaitsPreparation: true), .prepareFailed):
            state = .over
            return []

        case (.postponed, .prepared):
            state = .unadopted
            return [.withhold] + attemptEffects { [.lookAgain($0.invocation, after: Self.endRetryInterval)] }
        case (.postponed, .prepareFailed):
            state = .unadopted
            return attemptEffects { [.lookAgain($0.invocation, after: Self.endRetryInterval)] }

        case (.unadopted, .found(let finding)), (.atGate, .found(let finding)), (.watching, .found(let finding)),
            (.foreign, .found(let finding)):
            return found(finding, now: now, fresh: fresh) + handOverStops()

        case (.atGate, .stopRequested(let request)), (.watching, .stopRequested(let request)):
            return attemptEffects { [.request($0.invocation, request)] }
        case (.foreign, .stopRequested):
            return attemptEffects { [.emptyCgroup($0.invocation, attempt: $0.number)] }
        case (.emptying(let end), .cgroupEmptied):
            return finish(end)
        case (.emptying, .found), (.ending, .found), (.over, .found), (.launching, .found), (.refused, .found),
            (.postponed, .found):
            // A late look at the record: what it could tell is decided already.
            return []
        case (.emptying, .stopRequested), (.ending, .stopRequested), (.over, .stopRequested),
            (.refused, .stopRequested):
            // It is ending already; cgroup.kill is on its way or done.
            return []

        case (.ending, .endStored):
            state = .over
            return (refusal.map { [.refuse(.launch($0))] } ?? [])
                + attemptEffects { [.clean($0.invocation, attempt: $0.number)] }
        case (.ending, .endRefused):
            return [.retryEnd(after: Self.endRetryInterval)]
        case (.ending, .endRetryDue):
            return [.storeEnd(run)]

        case (.foreign, .cgroupEmptied):
            // Its own version will read how it ended.
            return []

        case (.unadopted, .committed), (.unadopted, .commitFailed), (.unadopted, .prepared),
            (.unadopted, .prepareFailed),
            (.atGate, .committed), (.atGate, .commitFailed), (.atGate, .prepared), (.atGate, .prepareFailed),
            (.watching, .committed), (.watching, .commitFailed), (.watching, .prepared), (.watching, .prepareFailed),
            (.foreign, .committed), (.foreign, .commitFailed), (.foreign, .prepared), (.foreign, .prepareFailed),
            (.emptying, .committed), (.emptying, .commitFailed), (.emptying, .prepared), (.emptying, .prepareFailed),
            (.ending, .committed), (.ending, .commitFailed), (.ending, .prepared), (.ending, .prepareFailed),
            (.over, .committed), (.over, .commitFailed), (.over, .prepared), (.over, .prepareFailed),
            (.postponed, .committed), (.postponed, .commitFailed),
            (.refused, .committed), (.refused, .commitFailed), (.refused(awaitsPreparation: false), .prepared),
            (.refused(awaitsPreparation: false), .prepareFailed):
            // Each launch answers once, and the state is left only when both answers are in.
            return []
        case (.launching, .cgroupEmptied), (.refused, .cgroupEmptied), (.postponed, .cgroupEmptied),
            (.unadopted, .cgroupEmptied),
            (.atGate, .cgroupEmptied), (.watching, .cgroupEmptied), (.ending, .cgroupEmptied), (.over, .cgroupEmptied):
            // The supervisor's own cgroup.kill, sent because a shim did not kill in time: the record tells the rest.
            return []
        case (.launching, .endStored), (.launching, .endRefused), (.launching, .endRetryDue),
            (.refused, .endStored), (.refused, .endRefused), (.refused, .endRetryDue),
            (.postponed, .endStored), (.postponed, .endRefused), (.postponed, .endRetryDue),
            (.unadopted, .endStored), (.unadopted, .endRefused), (.unadopted, .endRetryDue),
            (.atGate, .endStored), (.atGate, .endRefused), (.atGate, .endRetryDue),
            (.watching, .endStored), (.watching, .endRefused), (.watching, .endRetryDue),
            (.foreign, .endStored), (.foreign, .endRefused), (.foreign, .endRetryDue),
            (.emptying, .endStored), (.emptying, .endRefused), (.emptying, .endRetryDue),
            (.over, .endStored), (.over, .endRefused), (.over, .endRetryDue):
            // An end is stored in `ending` only, and the state is left by its answer.
            return []
        }
    }

    // MARK: Launching

    private mutating func proceed(_ launch: Launch, now: Timestamp) -> [RunEffect] {
        guard launch.isCommitted, launch.isPrepared || launch.failure != nil else {
            state = .launching(launch)
            return []
        }
        if let failure = launch.failure {
            let reason = Reason(failure.isResource ? .resources : .exec, failure.message)
            if launch.isNew { refusal = failure }
            return finish(RunEnd(state: .failed, reason: reason, endedAt: now))
        }
        state = .atGate(nil)
        return [.go] + (launch.isNew ? [.acknowledge] : []) + handOverStops()
            + attemptEffects { [.watch($0.invocation)] }
    }

    /// The stops that nobody could hear before, if there is a shim now.
    private mutating func handOverStops() -> [RunEffect] {
        guard wantsWatch, !unheard.isEmpty else { return [] }
        let stops = unheard
        unheard = []
        return attemptEffects { attempt in stops.map { .request(attempt.invocation, $0) } }
    }

    private mutating func refuse(_ launch: Launch, _ refusal: StoreRefusal) -> [RunEffect] {
        guard launch.isNew else {
            // The old row stands, so the run is as it was found: it is launched when the store can hold it.
            launches -= 1
            guard launch.isPrepared || launch.failure != nil else {
                state = .postponed
                return []
            }
            state = .unadopted
            return (launch.isPrepared ? [.withhold] : [])
                + attemptEffects { [.lookAgain($0.invocation, after: Self.endRetryInterval)] }
        }
        let isSettled = launch.isPrepared || launch.failure != nil
        state = isSettled ? .over : .refused(awaitsPreparation: true)
        return (launch.isPrepared ? [.withhold] : []) + [.refuse(.store(refusal))]
    }

    /// The attempt never ran: it gets a new invocation id, so that a shim of the old one that is still about can
    /// never meet it.
    private mutating func relaunch(now: Timestamp, fresh: InvocationID) -> [RunEffect] {
        guard let old = run.attempts.last else {
            return finish(RunEnd(state: .lost, reason: Reason(.lost, "its row names no attempt"), endedAt: now))
        }
        guard launches < Self.launchLimit else {
            let text = "its shim died before it could run the script, \(launches) times"
            return [.clean(old.invocation, attempt: old.number)]
                + finish(RunEnd(state: .failed, reason: Reason(.resources, text), endedAt: now))
        }
        launches += 1
        run.attempts[run.attempts.count - 1] = Attempt(number: old.number, invocation: fresh, boot: boot)
        state = .launching(Launch(isNew: false))
        return [.clean(old.invocation, attempt: old.number), .commitAndPrepare(run, isNew: false)]
    }

    // MARK: Watching and adopting

    /// The start-up table of the design, which is also all that happens to a run that was just launched.
    private mutating func found(_ finding: Finding, now: Timestamp, fresh: InvocationID) -> [RunEffect] {
        guard let attempt = run.attempts.last else {
            return finish(RunEnd(state: .lost, reason: Reason(.lost, "its row names no attempt"), endedAt: now))
        }
        switch finding {
        case .unreadable:
            return [.lookAgain(attempt.invocation, after: Self.lookInterval)]
        case .newer(let text):
            state = .foreign(text)
            return []
        case .damaged(let text):
            let reason = Reason(.lost, "its record is damaged: \(text)")
            state = .emptying(RunEnd(state: .lost, reason: reason, endedAt: now))
            return [
                .setAside(attempt.invocation, why: text),
                .emptyCgroup(attempt.invocation, attempt: attempt.number),
            ]
        case .nothing:
            if attempt.boot != boot { return rebooted(now: now) }
            switch state {
            case .watching, .foreign:
                // It has run, so it is not launched again.
                return lose("its record has vanished", attempt, now: now)
            case .unadopted, .atGate, .launching, .refused, .postponed, .emptying, .ending, .over:
                return relaunch(now: now, fresh: fresh)
            }
        case .observation(let observation, let isEnd):
            if isEnd || observation.phase == .emptied {
                return finish(RunEnd(observation, settings: run.settings))
            }
            if observation.boot != boot { return rebooted(now: now) }
            let isHeld = observation.shimPID != nil
            let isKnown: Bool
            switch state {
            case .atGate(let last?): isKnown = last.shimPID == observation.shimPID
            case .watching: isKnown = true
            case .atGate(nil), .unadopted, .foreign, .launching, .refused, .postponed, .emptying, .ending, .over:
                isKnown = false
            }
            switch (observation.phase, isHeld) {
            case (.gate, true):
                state = .atGate(observation)
                return isKnown ? [] : [.watch(attempt.invocation)]
            case (.gate, false):
                return relaunch(now: now, fresh: fresh)
            case (.passed, true), (.started, true), (.exited, true):
                let wasWatched: Bool
                switch state {
                case .atGate, .watching: wasWatched = true
                case .unadopted, .foreign, .launching, .refused, .postponed, .emptying, .ending, .over:
                    wasWatched = false
                }
                state = .watching(observation)
                return wasWatched ? [] : [.watch(attempt.invocation)]
            case (.passed, false), (.started, false):
                return lose("its shim vanished without leaving an end", attempt, observation: observation, now: now)
            case (.exited, false):
                state = .emptying(RunEnd(observation, settings: run.settings, endedAt: now))
                return [.emptyCgroup(attempt.invocation, attempt: attempt.number)]
            case (.emptied, _):
                return finish(RunEnd(observation, settings: run.settings))
            }
        }
    }

    private mutating func rebooted(now: Timestamp) -> [RunEffect] {
        finish(RunEnd(state: .lost, reason: Reason(.reboot, "the machine restarted while it ran"), endedAt: now))
    }

    private mutating func lose(
        _ text: String, _ attempt: Attempt, observation: AttemptObservation? = nil, now: Timestamp
    ) -> [RunEffect] {
        var end = RunEnd(state: .lost, reason: Reason(.lost, text), endedAt: now)
        end.observation = observation
        state = .emptying(end)
        return [.emptyCgroup(attempt.invocation, attempt: attempt.number)]
    }

    // MARK: Ending

    private mutating func finish(_ end: RunEnd) -> [RunEffect] {
        end.apply(to: &run)
        state = .ending
        return [.storeEnd(run)]
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
        case .over:
            return run
        case .ending:
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

extension LaunchRefusal {
    /// The machine had no room, as opposed to something that is wrong with the task.
    fileprivate var isResource: Bool {
        // ENOMEM, EAGAIN, ENFILE, EMFILE, ENOSPC (errno(3), Linux).
        [12, 11, 23, 24, 28].contains(errno) || step == "mother" || step == "record"
    }
}
