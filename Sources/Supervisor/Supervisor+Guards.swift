import Lifecycle
import Logging
import TaskModel

/// Attempts that were asked to stop, and are killed here if their shim does not do it in time.
extension Supervisor {
    /// How long after the end of a grace period the supervisor kills by itself, if the shim did not (design: 5 s).
    static let guardDelay = Duration.seconds(5)

    /// All are looked through for those that are due: not more often than this.
    private static let guardInterval = Duration.seconds(1)

    func guardStop(_ id: RunID, _ invocation: InvocationID, after delay: Duration) {
        let due = SuspendingClock.now + delay
        live[id]?.guarded = (invocation, due)
        waitForGuards(due)
    }

    /// One clock for all: thousands may be stopped at once, and hardly one is still there when its time has come.
    private func waitForGuards(_ due: SuspendingClock.Instant) {
        if let guardsAt, guardsAt <= due { return }
        guardsAt = due
        enqueue.yield(.guardStops(at: due))
    }

    func guardStops(at time: SuspendingClock.Instant) async {
        do { try await Task.sleep(until: time, clock: .suspending) } catch { return }
        // Else another one is awaited that is due earlier, and calls this again.
        guard guardsAt == time else { return }
        guardsAt = nil
        let now = SuspendingClock.now
        var next: SuspendingClock.Instant?
        for (id, entry) in live {
            guard let (attempt, due) = entry.guarded else { continue }
            if due <= now {
                entry.guarded = nil
                enqueue.yield(.killIfOverdue(id, attempt))
            } else {
                next = min(next ?? due, due)
            }
        }
        if let next { waitForGuards(max(next, now + Self.guardInterval)) }
    }

    func killIfOverdue(_ id: RunID, _ invocation: InvocationID) async {
        // Nobody has stopped the attempt that runs now.
        guard live[id]?.machine.invocation == invocation else { return }
        guard case .observation(let observation, _) = launching.find(invocation),
            observation.phase == .started || (observation.phase == .exited && observation.stopDeadline != nil)
        else { return }
        if let deadline = observation.stopDeadline, deadline > bootTime() {
            // One that was begun later than the one that set this clock.
            return guardStop(
                id, invocation, after: .microseconds(Int64(clamping: deadline - bootTime())) + Self.guardDelay)
        }
        log.error("run \(id): its shim did not kill it in time; killing its cgroup")
        _ = await launching.empty(invocation, run: id, attempt: observation.number)
    }
}
