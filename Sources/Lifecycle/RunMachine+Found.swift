import TaskModel

/// Watching and adopting.
extension RunMachine {
    /// The start-up table of the design, which is also all that happens to a run that was just launched.
    mutating func found(_ finding: Finding, _ context: EventContext) -> [RunEffect] {
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
                // After the go nobody watches until somebody has looked: many runs are over by then.
                let wasWatched = wantsWatch && state != .atGate(nil)
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
}

extension RunEnd {
    static func noAttempt(_ context: EventContext) -> RunEnd {
        var end = RunEnd(
            state: .lost, reason: Reason(.lost, "its row names no attempt"), endedAt: context.now.realtime)
        end.mayBeRetried = false
        return end
    }
}
