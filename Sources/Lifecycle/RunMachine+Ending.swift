import TaskModel

/// The end of an attempt, and of the run.
extension RunMachine {
    /// An attempt has ended: the run is over, or waits for the next one. Either way one row says both.
    mutating func finish(_ end: RunEnd, _ context: EventContext) -> [RunEffect] {
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
    mutating func beginWaiting(_ context: EventContext) -> [RunEffect] {
        if let endRequest { return cancel(endRequest, context) }
        state = .waiting
        return awaited.map { [.awaitRetry($0.due, after: $0.after)] } ?? []
    }

    mutating func cancel(_ request: StopRequest, _ context: EventContext) -> [RunEffect] {
        run.state = .cancelled
        run.reason = Reason(.cancelled, "cancelled by uid \(request.uid) before attempt \(lastNumber + 1)")
        run.endedAt = context.now.realtime
        run.retry?.due = nil
        state = .ending(wasWaiting: true)
        return [.storeEnd(run, [])]
    }

    func attemptEffects(_ effects: (Attempt) -> [RunEffect]) -> [RunEffect] {
        run.attempts.last.map(effects) ?? []
    }
}
