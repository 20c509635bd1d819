import Lifecycle
import Logging
public import Store
import TaskModel

/// What a supervisor does with rows and records that an earlier one left.
extension Supervisor {
    /// Thousands of rows take a while, and whoever fires meanwhile is not to wait for all of them.
    private static let rowsAtOnce = 256

    /// Reads the active rows and has them adopted. Call it once, beside `run`; callers may be served already.
    public func readRows() async throws(StoreError) {
        let runs: [Run]
        do { runs = try await store.activeRuns() } catch {
            finishRows(.unreadable(error))
            throw error
        }
        live.reserveCapacity(live.count + runs.count)
        byInvocation.reserveCapacity(byInvocation.count + runs.count)
        for (index, run) in runs.enumerated() {
            if index % Self.rowsAtOnce == Self.rowsAtOnce - 1 { await Task.yield() }
            // One that was fired meanwhile is known better here than there.
            if live[run.id] != nil || overBeforeRows.contains(run.id) { continue }
            let machine = RunMachine.adopt(run, boot: boot)
            live[run.id] = Live(machine: machine)
            machine.invocation.map { byInvocation[$0] = run.id }
            if let wait = machine.awaited { enqueue.yield(.awaitRetry(run.id, wait.due, after: wait.after)) }
        }
        finishRows(.read)
        enqueue.yield(.adoptAll)
        tidyLater()
    }

    /// Returns when every active row is known; throws why they cannot be read.
    public func rowsAreRead() async throws(StoreError) {
        switch rows {
        case .read: return
        case .unreadable(let error): throw error
        case .unread:
            let error = await withCheckedContinuation { (continuation: CheckedContinuation<StoreError?, Never>) in
                guard case .unread(let waiting) = rows else { return continuation.resume(returning: nil) }
                rows = .unread(waiting + [continuation])
            }
            if let error { throw error }
        }
    }

    private func finishRows(_ outcome: Rows) {
        guard case .unread(let waiting) = rows else { return }
        rows = outcome
        overBeforeRows = []
        var error: StoreError?
        if case .unreadable(let reason) = outcome { error = reason }
        for continuation in waiting { continuation.resume(returning: error) }
    }

    func adoptAll() async {
        let rows = live.filter { $0.value.machine.isUnadopted }.keys.sorted()
        for start in stride(from: 0, to: rows.count, by: Self.adoptedAtOnce) {
            let part = rows[start..<min(start + Self.adoptedAtOnce, rows.count)]
            let attempts = part.compactMap { id in live[id]?.machine.invocation.map { (id, $0) } }
            for (id, invocation, isWatched, finding) in await Self.lookAhead(attempts, launching) {
                // Somebody may have asked for it meanwhile.
                guard let machine = live[id]?.machine, machine.isUnadopted, machine.invocation == invocation else {
                    continue
                }
                adopting = isWatched ? invocation : nil
                take(finding, invocation, of: id)
                adopting = nil
            }
        }
        let names: [InvocationID]
        do { names = try launching.names() } catch {
            log.error("the records cannot be listed: \(error.message); runs without a row are not looked for")
            return
        }
        for id in names where byInvocation[id] == nil { await settle(orphan: id) }
        launching.removeStrays()
        if !rows.isEmpty { log.info("looked at \(rows.count) active runs") }
    }

    /// So many files are read before the actor is asked for its attention: callers come in between.
    private static let adoptedAtOnce = 64

    /// Not on the actor, which serves callers meanwhile. Watched first, so that no change is missed.
    @concurrent
    private nonisolated static func lookAhead(
        _ attempts: [(RunID, InvocationID)], _ launching: any Launching
    ) async -> [(RunID, InvocationID, isWatched: Bool, Finding)] {
        attempts.map { ($0, $1, launching.watch($1), launching.find($1)) }
    }

    /// A record without an active row: a refused fire, the traces of a stored end, or a run whose row is gone.
    func settle(orphan id: InvocationID) async {
        guard byInvocation[id] == nil else { return }
        let finding = launching.find(id)
        var row: Run?
        if case .observation(let observation, _) = finding {
            do { row = try await store.run(observation.run) } catch {
                log.error("run \(observation.run): \(error.refusal.message); its record is kept")
                return
            }
            // A fire may have taken the record over while the store was asked.
            guard byInvocation[id] == nil else { return }
            if let row, !row.state.isFinal, observation.phase > .gate, !row.hasEnd(of: id) {
                log.error("run \(row.id) has a second record, \(id); it is left alone")
                return
            }
        }
        switch OrphanDecision.decide(finding, endIsStored: row.map { $0.state.isFinal || $0.hasEnd(of: id) }) {
        case .delete:
            orphans.remove(id)
            if case .observation(let observation, _) = finding {
                launching.clean(id, run: observation.run, attempt: observation.number)
            }
        case .wait:
            orphans.insert(id)
            if !launching.watch(id) { enqueue.yield(.orphans([id], after: .milliseconds(50))) }
        case .setAside(let why):
            let path = launching.setAside(id)
            log.error("a record without a run is damaged (\(why))", metadata: ["record": "\(path ?? id.description)"])
        case .keep:
            log.warning("record \(id) was written by a newer version and is left alone")
        case .lookAgain(let why):
            log.error("record \(id): \(why), looking again in 5 s")
            enqueue.yield(.orphans([id], after: .seconds(5)))
        case .restore:
            await restore(id)
        }
    }

    private func restore(_ id: InvocationID) async {
        guard var run = launching.origin(id) else {
            log.error("record \(id) belongs to no run and does not tell its own; it is left alone")
            return
        }
        run.state = .starting
        // Known before its row is there: who asks meanwhile gets what the record says, and a kill waits for no disk.
        live[run.id] = Live(machine: .adopt(run, boot: boot))
        byInvocation[id] = run.id
        await storeRestored(run)
        if live[run.id]?.machine.isUnadopted == true { look(run.id) }
    }

    func storeRestored(_ run: Run) async {
        // It is over: its end has stored the whole row.
        guard live[run.id] != nil else { return }
        do {
            try await store.insert(run)
            log.warning("run \(run.id) of \(run.task): its row was missing and is restored from its record")
        } catch .conflict {
            // Its end was faster, with the whole row.
        } catch {
            log.error("run \(run.id): its row could not be restored (\(error.refusal.message)), retrying in 5 s")
            enqueue.yield(.restoreRow(run, after: .seconds(5)))
        }
    }
}

extension Run {
    /// The attempt has ended, and the row says how.
    fileprivate func hasEnd(of id: InvocationID) -> Bool {
        attempts.contains { $0.invocation == id && $0.state?.isFinal == true }
    }
}
