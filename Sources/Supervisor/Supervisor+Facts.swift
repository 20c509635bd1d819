import Lifecycle
import Logging
import TaskModel

/// What is seen, told to the machines of the runs.
extension Supervisor {
    /// Reads the attempt's record and tells the machine, if that can make a difference to it.
    func look(_ id: RunID) {
        guard let machine = live[id]?.machine, machine.wantsLook, let invocation = machine.invocation else { return }
        take(find(invocation), invocation, of: id)
    }

    func take(_ finding: Finding, _ invocation: InvocationID, of id: RunID) {
        follow(finding)
        deliver(.found(finding), to: id)
        if case .observation(let observation, _) = finding { tellSilence(observation, of: id) }
        if case .observation(let observation, _) = finding, let deadline = observation.stopDeadline,
            live[id]?.guarded?.attempt != invocation
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
        guard let entry = live[id] else { return }
        let before = entry.machine.invocation
        let effects = entry.machine.handle(event, context(event, entry.machine.run))
        let isLaunching = entry.machine.isLaunching
        let after = entry.machine.invocation
        if effects.contains(where: \.needsChance) { chance = (.random(), .random(in: 0 ... .max)) }
        if after != before {
            if let before { (byInvocation[before], watched[before]) = (nil, nil) }
            after.map { byInvocation[$0] = id }
            entry.isSilent = false
        }
        execute(effects, for: id)
        tidyLater()
        if !isLaunching { resumeDrains() }
        if !feeds.isEmpty, let run = live[id]?.machine.run {
            for feed in feeds.values { feed.publish(run) }
        }
        if live[id]?.machine.isOver == true { forget(id) }
    }

    var moment: Moment { Moment(realtime: now(), boottime: bootTime(), boot: boot) }

    private func context(_ event: RunEvent, _ run: Run) -> EventContext {
        var context = EventContext(now: moment, fresh: chance.fresh, random: chance.random)
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
        if case .unread = rows { overBeforeRows.insert(id) }
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
}

extension RunEffect {
    /// Decided with the random part of an event's context, which serves once.
    fileprivate var needsChance: Bool {
        switch self {
        case .commitAndPrepare, .storeEnd: true
        case .go, .withhold, .acknowledge, .refuse, .expect, .watch, .request, .emptyCgroup, .setAside, .retryEnd,
            .awaitRetry, .lookAgain, .keepOutput, .clean:
            false
        }
    }
}
