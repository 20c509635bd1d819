import TaskModel

/// What a fact means, by the state that it meets.
extension RunMachine {
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

    mutating func looked(_ finding: Finding, _ context: EventContext) -> [RunEffect] {
        // Else a late look at the record: what it could tell is decided already.
        wantsLook ? found(finding, context) + handOverStops() : []
    }

    mutating func emptied(_ context: EventContext) -> [RunEffect] {
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
}

extension RunEvent {
    fileprivate var isPrepared: Bool { if case .prepared = self { true } else { false } }
}
