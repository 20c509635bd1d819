import TaskModel

/// From a row to a shim that has its go.
extension RunMachine {
    mutating func proceed(_ launch: Launch, _ context: EventContext) -> [RunEffect] {
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
            + attemptEffects { [.expect($0.invocation)] }
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
    mutating func handOverStops() -> [RunEffect] {
        guard wantsWatch, !unheard.isEmpty else { return [] }
        let stops = unheard
        unheard = []
        return attemptEffects { attempt in stops.map { .request(attempt.invocation, $0) } }
    }

    mutating func refuse(
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
    mutating func backOff(to parked: Run?, _ context: EventContext) -> [RunEffect] {
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
    mutating func relaunch(_ context: EventContext) -> [RunEffect] {
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

    mutating func launchNext(_ retry: RetryState?, _ context: EventContext) -> [RunEffect] {
        let parked = run
        run.retry = retry
        run.retry?.due = nil
        beginAttempt(context.fresh, context.outputEnd)
        state = .launching(Launch(kind: .next(parked: parked)))
        return [.commitAndPrepare(run, .replace)]
    }

    /// What the last attempt said of itself does not hold for the next.
    mutating func beginAttempt(_ fresh: InvocationID, _ outputEnd: UInt64?) {
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
}

extension LaunchRefusal {
    /// The machine had no room, as opposed to something that is wrong with the task.
    fileprivate var isResource: Bool {
        // ENOMEM, EAGAIN, ENFILE, EMFILE, ENOSPC (errno(3), Linux).
        [12, 11, 23, 24, 28].contains(errno) || step == "mother" || step == "record"
    }
}
