public import TaskModel

extension RunMachine {
    /// The state that callers see, as far as it was known when somebody last looked.
    public var lastSeen: RunState {
        switch state {
        case .atGate(let observation): presented(with: observation).state
        case .watching(let observation): presented(with: observation).state
        // Thousands of them are counted soon after a start.
        case .unadopted: run.state
        case .launching, .refused, .postponed, .foreign, .emptying, .parking, .waiting, .ending, .over:
            presented(with: nil).state
        }
    }

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
