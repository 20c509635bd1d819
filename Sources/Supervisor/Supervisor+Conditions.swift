import Lifecycle
import Logging
import TaskModel

/// Looks at what runs use, and does what their units say about it. While no supervisor runs nobody looks; the next one
/// begins with empty windows.
extension Supervisor {
    /// An attempt whose unit has conditions. An object: all of them are looked through at each sample.
    final class Watched {
        let run: RunID
        let meter: any Metering
        /// `nil`: it ends, or stands still.
        var watch: ConditionWatch? { didSet { due = watch?.due ?? .max } }
        /// When it wants to know more next, in µs of CLOCK_BOOTTIME; `.max`: never.
        private(set) var due: UInt64
        /// The latest of each quantity.
        var met: [ConditionVerdict]
        /// It stands still; after the thaw its windows begin empty.
        let isFrozen: Bool

        init(run: RunID, meter: any Metering, watch: ConditionWatch?, met: [ConditionVerdict], isFrozen: Bool) {
            self.run = run
            self.meter = meter
            self.watch = watch
            due = watch?.due ?? .max
            self.met = met
            self.isFrozen = isFrozen
        }
    }

    /// What is on disk of the attempt, with what was seen of it.
    func find(_ id: InvocationID) -> Finding {
        let finding = launching.find(id)
        guard case .observation(var observation, let isEnd) = finding, let met = watched[id]?.met, !met.isEmpty else {
            return finding
        }
        observation.conditions = met
        return .observation(observation, isEnd: isEnd)
    }

    /// Begins to look once the script runs, and stops as soon as it ends or is stopped.
    func follow(_ finding: Finding) {
        guard case .observation(let observation, _) = finding else { return }
        let id = observation.invocation
        guard observation.phase == .started, observation.stop == nil, observation.shimPID != nil else {
            watched[id]?.watch = nil
            return
        }
        let isFrozen = observation.clocks.frozenSince != nil
        guard watched[id] == nil || watched[id]?.isFrozen != isFrozen, let run = byInvocation[id],
            let conditions = live[run]?.machine.run.settings.conditions, conditions != ConditionSettings(),
            let meter = watched[id]?.meter ?? launching.meter(id),
            let watch = ConditionWatch(conditions, memory: meter.machineMemory, now: bootTime())
        else { return }
        watched[id] = Watched(
            run: run, meter: meter, watch: isFrozen ? nil : watch, met: watched[id]?.met ?? [], isFrozen: isFrozen)
        waitForSamples()
    }

    /// One clock for all.
    private func waitForSamples() {
        let next = watched.values.reduce(UInt64.max) { min($0, $1.due) }
        guard next < samplesAt else { return }
        samplesAt = next
        enqueue.yield(.sample(at: next))
    }

    func sample(at time: UInt64) async {
        let now = bootTime()
        if time > now {
            do { try await Task.sleep(for: .microseconds(Int64(clamping: time - now))) } catch { return }
        }
        // Else another one is awaited that is due earlier, and calls this again.
        guard samplesAt == time else { return }
        let due = max(time, bootTime())
        var orders: [(id: InvocationID, meter: any Metering, what: Set<ConditionSettings.Quantity>)] = []
        for (id, entry) in watched {
            guard entry.due <= due + ConditionWatch.haste, let what = entry.watch?.due(at: due), !what.isEmpty else {
                continue
            }
            orders.append((id, entry.meter, what))
        }
        for (id, measurement) in await Self.measure(orders) {
            let met = watched[id]?.watch?.take(measurement, dueAt: due, at: self.now()) ?? []
            for verdict in met { act(on: verdict, id) }
        }
        samplesAt = .max
        waitForSamples()
    }

    /// Not on the actor: hundreds of files may be read.
    @concurrent
    private nonisolated static func measure(
        _ orders: [(id: InvocationID, meter: any Metering, what: Set<ConditionSettings.Quantity>)]
    ) async -> [(InvocationID, Measurement)] {
        orders.map { ($0.id, $0.meter.measure($0.what)) }
    }

    private func act(on verdict: ConditionVerdict, _ id: InvocationID) {
        guard let run = watched[id]?.run, let entry = live[run], entry.machine.invocation == id else { return }
        watched[id]?.met.removeAll { $0.quantity == verdict.quantity }
        watched[id]?.met.append(verdict)
        let report = RunReport.condition(entry.machine.run, verdict)
        log.warning("\(report.message)", metadata: report.metadata)
        switch verdict.action {
        case .notify: look(run)
        case .freeze:
            // Nobody asked the shim for it: no uid.
            _ = launching.request(id, StopRequest(cause: .freeze, uid: .max))
            look(run)
        case .restart, .kill:
            watched[id]?.watch = nil
            let settings = entry.machine.run.settings
            // Its own signal tells the shim that it is a restart, with which no SIGHUP goes.
            let signal = verdict.action == .restart ? settings.restartKillSignal ?? settings.killSignal : 0
            _ = stop(run, StopRequest(cause: verdict.quantity.cause, signal: signal, uid: 0))
        }
    }
}
