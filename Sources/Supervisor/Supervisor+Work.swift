import Lifecycle
import Logging
import Store
import TaskModel

/// What takes its time.
extension Supervisor {
    func perform(_ work: Work) async {
        switch work {
        case .tellStarted(let run):
            let report = RunReport.started(run)
            log.info("\(report.message)", metadata: report.metadata)
        case .empty(let id, let invocation, let attempt):
            while await !launching.empty(invocation, run: id, attempt: attempt) {
                log.error("run \(id): its cgroup is not empty, trying again in 2 s")
                // The next supervisor goes on with it.
                do { try await Task.sleep(for: .seconds(2)) } catch { return }
            }
            deliver(.cgroupEmptied, to: id)
        case .later(let id, let event, let delay):
            do { try await Task.sleep(for: delay) } catch { return }
            deliver(event, to: id)
        case .awaitRetry(let id, let due, let number):
            await awaitRetry(id, due, after: number)
        case .lookAgain(let id, let delay):
            do { try await Task.sleep(for: delay) } catch { return }
            live[id]?.looksAgain = false
            if let machine = live[id]?.machine, machine.wantsWatch, let invocation = machine.invocation {
                execute(.watch(invocation), for: id)
            } else {
                look(id)
            }
        case .guardStops(let time):
            await guardStops(at: time)
        case .killIfOverdue(let id, let invocation):
            await killIfOverdue(id, invocation)
        case .keepOutput:
            await keepWaitingOutput()
        case .adoptAll:
            await adoptAll()
        case .orphans(let ids, let delay):
            if let delay {
                do { try await Task.sleep(for: delay) } catch { return }
            }
            for id in ids { await settle(orphan: id) }
        case .restoreRow(let run, let delay):
            do { try await Task.sleep(for: delay) } catch { return }
            await storeRestored(run)
        case .sample(let time):
            await sample(at: time)
        case .tidy:
            await tidyWhenQuiet()
        }
    }

    nonisolated func commit(_ run: Run, _ change: RowChange) async -> RunEvent {
        do {
            switch change {
            case .insert: try await store.insert(run)
            case .replace: try await store.update(run)
            case .reopen(let former): try await store.reopen(run, from: former)
            }
            return .committed
        } catch {
            return .commitFailed(error.refusal)
        }
    }

    func prepare(_ id: RunID, _ run: Run) async {
        guard let attempt = run.attempts.last else { return }
        do {
            let gate = try await launching.prepare(run, attempt)
            live[id]?.gate = gate
            deliver(.prepared(shimPID: gate.shimPID), to: id)
        } catch {
            deliver(.prepareFailed(error), to: id)
        }
    }

    func storeEnd(_ id: RunID, _ run: Run, _ events: [RunTrigger.Event]) async {
        var refusal: StoreRefusal?
        var followers: [Run] = []
        do { followers = try await self.followers(of: run, events) } catch {
            log.error("run \(id): its end could not be stored (\(error.message)), retrying in 5 s")
            return deliver(.endRefused(error.message), to: id)
        }
        do {
            if run.state.isFinal {
                try await store.finish(run, with: followers)
            } else {
                try await store.update(run, with: followers)
            }
            let report = run.state.isFinal ? RunReport.ended(run) : RunReport.waits(run)
            log.info("\(report.message)", metadata: report.metadata)
            refusal = nil
        } catch .conflict(let text) {
            // No such row: the database was exchanged under us. Its record tells how it ended, so the row comes back.
            log.error("run \(id): \(text); storing the whole row")
            do {
                try await store.insert(run, with: followers)
                refusal = nil
            } catch {
                refusal = error.refusal
            }
        } catch {
            log.error("run \(id): its end could not be stored (\(error.refusal.message)), retrying in 5 s")
            refusal = error.refusal
        }
        if refusal != nil || run.state.isFinal {
            let cancels = live[id]?.cancels ?? []
            live[id]?.cancels = []
            for cancel in cancels { cancel.resume(returning: refusal) }
        }
        if refusal == nil {
            live[id]?.followers = nil
            begin(followers)
        }
        deliver(refusal.map { .endRefused($0.message) } ?? .endStored, to: id)
    }

    func tidyLater() {
        happenings &+= 1
        if isTidying { return }
        isTidying = true
        enqueue.yield(.tidy)
    }

    private func tidyWhenQuiet() async {
        var seen: UInt64
        repeat {
            seen = happenings
            do { try await Task.sleep(for: Self.quietTime) } catch { return }
        } while seen != happenings
        isTidying = false
        tidy()
    }
}
