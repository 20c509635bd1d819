public import TaskModel

/// How a run's attempt ended, before it is put into the run's row.
public struct RunEnd: Sendable, Hashable {
    public var state: RunState
    public var reason: Reason
    public var endedAt: Timestamp
    /// The last that is known of the attempt.
    public var observation: AttemptObservation?
    /// `false`: the run is over, whatever its unit says of retries.
    var mayBeRetried = true

    public init(state: RunState, reason: Reason, endedAt: Timestamp) {
        self.state = state
        self.reason = reason
        self.endedAt = endedAt
    }

    /// The end that a record tells. `endedAt` stands in when the record does not know when the last process went.
    init(_ observation: AttemptObservation, settings: TaskSettings, endedAt: Timestamp? = nil) {
        let verdict = Verdict.judge(observation, settings: settings)
        state = verdict.state
        reason = verdict.reason
        self.endedAt =
            observation.endedAt ?? endedAt ?? observation.exitedAt ?? observation.startedAt
            ?? Timestamp(microseconds: 0)
        self.observation = observation
    }

    /// Somebody wanted the run to end, or all tasks were stopped.
    var wasAskedFor: Bool { observation?.stop?.cause.endsRun == true || observation?.askedToEnd != nil }

    /// What an end does that nobody has asked for; the run's, or one after which it is tried again.
    func setsOff(isOver: Bool) -> [RunTrigger.Event] {
        if state == .succeeded { return isOver ? [.onSuccess] : [] }
        return [.onAttemptFailure] + (isOver ? [.onFailure] : [])
    }

    /// As both clocks had it; `now` for an end that was not seen.
    func moment(now: Moment) -> Moment {
        guard let observation, let boottime = observation.endedAtBoottime else { return now }
        return Moment(realtime: endedAt, boottime: boottime, boot: observation.boot)
    }

    func apply(to run: inout Run) {
        run.overlay(observation)
        run.state = state
        run.reason = reason
        run.endedAt = endedAt
        guard !run.attempts.isEmpty else { return }
        let last = run.attempts.count - 1
        run.attempts[last].state = state
        run.attempts[last].reason = reason
        run.attempts[last].endedAt = endedAt
        run.attempts[last].shimPID = nil
    }
}
extension Run {
    /// Puts what the record says over the row.
    mutating func overlay(_ observation: AttemptObservation?) {
        guard let observation, !attempts.isEmpty else { return }
        let last = attempts.count - 1
        status = observation.status ?? status
        progress = observation.progress ?? progress
        resultText = observation.resultText ?? resultText
        startedAt = startedAt ?? observation.startedAt
        attempts[last].shimPID = observation.shimPID
        attempts[last].mainPID = observation.mainPID
        attempts[last].exit = observation.exit
        attempts[last].usage = observation.usage
        attempts[last].conditions = observation.conditions ?? attempts[last].conditions
        attempts[last].startedAt = observation.startedAt
        attempts[last].stop = observation.shownStop
        attempts[last].clocks = observation.clocks == AttemptClocks() ? nil : observation.clocks
        setLiveState(observation.liveState(settings.kind))
    }

    mutating func setLiveState(_ live: RunState) {
        state = live
        if !attempts.isEmpty { attempts[attempts.count - 1].state = live }
    }

    mutating func withdrawAttemptEnd() {
        guard !attempts.isEmpty else { return }
        let last = attempts.count - 1
        attempts[last].state = .stopping
        attempts[last].reason = nil
        attempts[last].endedAt = nil
    }
}

extension AttemptObservation {
    /// What goes on; of what is over that which has ended the main process.
    fileprivate var shownStop: AttemptStop? {
        if let restStop, phase < .emptied { return restStop }
        guard let stop, let stopBegan else { return nil }
        return AttemptStop(request: stop, since: stopBegan, finalSignalAt: finalSignalAt, wasKilled: wasKilled)
    }

    /// The public state that this phase of a living attempt stands for.
    public func liveState(_ kind: TaskSettings.Kind) -> RunState {
        switch phase {
        case .gate, .passed:
            return .starting
        case .started:
            if saysStopping || stop != nil { return .stopping }
            return kind == .notify && !isReady ? .starting : .running
        case .exited, .emptied:
            return .stopping
        }
    }
}
