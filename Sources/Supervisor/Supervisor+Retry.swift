public import Lifecycle
internal import Store
public import TaskModel

/// Why a wish about a run that waits was not fulfilled.
public enum RetryRefusal: Error, Sendable, Hashable {
    /// There is no such run.
    case noRun
    /// The run is in this state, in which it cannot be done.
    case wrongState(RunState)
    case refused(FireRefusal)
}

/// Runs that wait for another attempt.
extension Supervisor {
    /// The longest sleep: a machine that was suspended looks at the clock again before long, and what was cut short does
    /// not stay behind as long as it would have waited.
    private static let longestSleep: UInt64 = 60_000_000
    /// How often it is looked whether the tasks' unit is back.
    private static let holdInterval = Duration.seconds(1)

    /// It waits for its next attempt, or will in a moment.
    public func isBetweenAttempts(_ id: RunID) -> Bool { live[id]?.machine.isBetweenAttempts == true }

    /// Ends a run: one between two attempts is cancelled, any other is stopped. `false`: it is over, or ending already.
    public func end(_ id: RunID, _ request: StopRequest) async throws(RetryRefusal) -> Bool {
        guard isBetweenAttempts(id) else {
            guard stop(id, request) else { return false }
            try await keepWish(of: id)
            return true
        }
        guard request.cause == .kill else { throw .wrongState(.queued) }
        try await cancel(id, by: request.uid)
        return true
    }

    /// What is left of an attempt without a shim may hang in the kernel for longer than this process lives; the next one is
    /// not to try the run again.
    private func keepWish(of id: RunID) async throws(RetryRefusal) {
        guard let row = live[id]?.machine.unheardEnd else { return }
        do { try await store.update(row) } catch .conflict {
            // It has ended meanwhile, as it was asked to.
        } catch { throw .refused(.store(error.refusal)) }
    }

    /// A run that waits for its retry gets it now. Returns when that is durable and the shim has its go.
    public func retry(_ id: RunID) async throws(RetryRefusal) {
        guard let machine = live[id]?.machine else { throw .noRun }
        guard machine.isWaiting else { throw .wrongState(shownState(id, machine)) }
        if let refusal = launching.refusal() { throw .refused(.launch(refusal)) }
        let answer = FireAnswer()
        live[id]?.fire = answer
        deliver(.retryRequested, to: id)
        do { _ = try await answer.value } catch { throw .refused(error) }
    }

    /// A final run gets another attempt, with this script. Returns when that is durable and the shim has its go.
    public func reopen(_ id: RunID, script: CheckedScript) async throws(RetryRefusal) {
        // One at a time: what the other reads now is not how the run will be when this one is through.
        guard reopening.insert(id).inserted else { throw .wrongState(.starting) }
        defer { reopening.remove(id) }
        let row: Run?
        do { row = try await store.run(id) } catch { throw .refused(.store(error.refusal)) }
        guard let run = row else { throw .noRun }
        if let machine = live[id]?.machine { throw .wrongState(shownState(id, machine)) }
        guard run.state.isFinal else { throw .wrongState(run.state) }
        if let refusal = launching.refusal() { throw .refused(.launch(refusal)) }
        let (machine, effects) = RunMachine.reopen(
            run, script: script, boot: boot, fresh: .random(), outputEnd: output?.outputEnd(of: run))
        let answer = FireAnswer()
        live[id] = Live(machine: machine, fire: answer)
        machine.invocation.map { byInvocation[$0] = id }
        execute(effects, for: id)
        do { _ = try await answer.value } catch { throw .refused(error) }
    }

    /// Ends a run between two attempts. Returns when that is durable.
    public func cancel(_ id: RunID, by uid: UInt32) async throws(RetryRefusal) {
        guard let machine = live[id]?.machine, machine.isStored else { throw .noRun }
        guard machine.isBetweenAttempts else { throw .wrongState(shownState(id, machine)) }
        let refusal = await withCheckedContinuation { continuation in
            live[id]?.cancels.append(continuation)
            deliver(.stopRequested(StopRequest(cause: .kill, uid: uid)), to: id)
        }
        if let refusal { throw .refused(.store(refusal)) }
    }

    private func shownState(_ id: RunID, _ machine: RunMachine) -> RunState {
        present(id)?.state ?? machine.run.state
    }

    /// Sleeps until the time has come, by CLOCK_BOOTTIME, and no one has cut it short.
    func awaitRetry(_ id: RunID, _ due: Moment, after number: Int) async {
        let deadline = deadline(of: due, live[id]?.machine.run.attempts.last?.endedAt)
        while let wait = live[id]?.machine.awaited, wait.due == due, wait.after == number {
            let now = bootTime()
            if deadline > now {
                let rest = deadline - now
                let sleep = Duration.microseconds(Int64(min(rest, Self.longestSleep)))
                do { try await Task.sleep(for: sleep, clock: .continuous) } catch { return }
            } else if let refusal = launching.refusal() {
                if live[id]?.machine.run.reason?.text != refusal.message { deliver(.retryHeld(refusal), to: id) }
                do { try await Task.sleep(for: Self.holdInterval, clock: .continuous) } catch { return }
            } else {
                return deliver(.retryDue(after: number), to: id)
            }
        }
    }

    /// µs of CLOCK_BOOTTIME. After another boot the wall clock tells, once; wherever that was set to, nothing waits longer
    /// than it was to wait in all.
    private func deadline(of due: Moment, _ ended: Timestamp?) -> UInt64 {
        if due.boot == boot { return due.boottime }
        var rest = due.microseconds(since: moment)
        if let ended {
            let all = due.realtime.microseconds.subtractingReportingOverflow(ended.microseconds)
            if !all.overflow { rest = min(rest, UInt64(max(0, all.partialValue))) }
        }
        let (deadline, overflows) = bootTime().addingReportingOverflow(rest)
        return overflows ? .max : deadline
    }
}
