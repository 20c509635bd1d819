import Lifecycle
import Logging
public import TaskModel

/// What is asked of a run's shim beside its stop, and seen to happen in its record.
extension Supervisor {
    public enum Freezing: Sendable, Hashable {
        case done
        /// Nobody is left to freeze.
        case isOver
        case isStopping
        /// No shim can hear it yet.
        case isLaunching
        case hasNoCgroup
        /// It was asked for and has not happened: a process sleeps in the kernel, or its shim is of an older version.
        case isLate
    }

    /// How long a shim may take to do what it was asked for, before its caller is told that it has not.
    private static let patience = Duration.seconds(5)

    /// Freezes all processes of a run, or lets them go on; returns when that is so.
    public func setFrozen(_ wanted: Bool, _ id: RunID, by uid: UInt32) async -> Freezing {
        let cause: StopRequest.Cause = wanted ? .freeze : .thaw
        return await askShim(of: id, StopRequest(cause: cause, uid: uid)) { observation in
            if observation.phase == .emptied { return .isOver }
            if !observation.hasCgroup { return .hasNoCgroup }
            if (observation.clocks.frozenSince != nil) == wanted { return .done }
            return wanted && (observation.stop != nil || observation.phase == .exited) ? .isStopping : nil
        }
    }

    /// Returns when the stops of these runs have begun, or after a moment: their records tell then what was done.
    public func stopsHaveBegun(_ ids: [RunID]) async {
        let deadline = ContinuousClock.now + .seconds(1)
        for id in ids {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { return }
            let sparesTheRest = live[id]?.machine.run.settings.killMode == .process
            _ = await look(at: id, for: left) { seen in
                // What the main process has left gets a stop of its own then.
                if sparesTheRest, seen.phase == .exited { return seen.restStop != nil ? true : nil }
                return seen.stop != nil || seen.phase >= .exited ? true : nil
            }
        }
    }

    private func askShim(
        of id: RunID, _ request: StopRequest, until fact: @Sendable (AttemptObservation) -> Freezing?
    ) async -> Freezing {
        if live[id]?.machine.isUnadopted == true { look(id) }
        guard let machine = live[id]?.machine, let invocation = machine.invocation else { return .isOver }
        guard machine.wantsWatch else { return machine.isLaunching ? .isLaunching : .isOver }
        if case .observation(let observation, _) = launching.find(invocation), let known = fact(observation) {
            return known
        }
        guard launching.request(invocation, request) else { return .isOver }
        log.info("uid \(request.uid) \(request.cause == .freeze ? "froze" : "thawed") run \(id)")
        let found = await look(at: id, for: Self.patience, until: fact) ?? (live[id] == nil ? .isOver : .isLate)
        // It has gone on, and to its end.
        return found == .isOver && request.cause == .thaw ? .done : found
    }

    /// Looks at the record now and at each change, until it says something or the time is over.
    private func look<Fact: Sendable>(
        at id: RunID, for time: Duration, until fact: @Sendable (AttemptObservation) -> Fact?
    ) async -> Fact? {
        let feed = subscribe(only: [id])
        defer { unsubscribe(feed) }
        return await withTaskGroup(of: Void.self, returning: Fact?.self) { group in
            group.addTask {
                // A cancelled sleep ends the wait as well: nobody hears its answer.
                try? await Task.sleep(for: time)
                feed.close()
            }
            defer { group.cancelAll() }
            repeat {
                guard let invocation = live[id]?.machine.invocation,
                    case .observation(let observation, _) = launching.find(invocation)
                else { return nil }
                if let found = fact(observation) { return found }
            } while await feed.next() != nil
            return nil
        }
    }
}
