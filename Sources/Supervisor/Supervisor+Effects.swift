import Lifecycle
import Logging
import TaskModel

/// What the machines order.
extension Supervisor {
    func execute(_ effects: [RunEffect], for id: RunID) {
        for effect in effects { execute(effect, for: id) }
    }

    func execute(_ effect: RunEffect, for id: RunID) {
        switch effect {
        case .commitAndPrepare(let run, let change):
            // Begun here and not by `run`: each hop between threads costs a fire as much as a system call. Neither
            // half is ended by a cancellation, and whoever waits for their end drains. The commit's thread wakes while the
            // launch is prepared on this one.
            Task.immediate(executorPreference: executor) { self.deliver(await self.commit(run, change), to: id) }
            Task.immediate(executorPreference: executor) { await self.prepare(id, run) }
        case .go:
            let gate = live[id]?.gate
            live[id]?.gate = nil
            // A shim that is no longer there is found out by the `watch` that follows.
            _ = gate?.go()
        case .withhold:
            live[id]?.gate?.withhold()
            live[id]?.gate = nil
        case .acknowledge:
            answer(id, .success(live[id]?.machine.presented(with: nil)))
            // A line of the log takes as long as half of what the answer needed: not before that is sent.
            if let run = live[id]?.machine.run { enqueue.yield(.tellStarted(run)) }
        case .refuse(let refusal):
            answer(id, .failure(refusal))
        case .expect(let invocation):
            launching.expect(invocation)
        case .watch(let invocation):
            // What was found had been read while it was watched already.
            if adopting == invocation { break }
            let isWatched = launching.watch(invocation)
            look(id)
            // Its shim lives and nobody would hear of its end (no descriptor was left for its pidfd).
            if !isWatched, live[id]?.machine.invocation == invocation, live[id]?.machine.wantsWatch == true {
                lookAgain(id, after: Self.watchInterval)
            }
        case .request(let invocation, let request):
            if !launching.request(invocation, request) { look(id) }
        case .emptyCgroup(let invocation, let attempt):
            enqueue.yield(.empty(id, invocation, attempt: attempt))
        case .setAside(let invocation, let why):
            let path = launching.setAside(invocation)
            log.error(
                "run \(id): its record is damaged (\(why)); it is lost and is not run again",
                metadata: ["record": "\(path ?? invocation.description)"])
        case .storeEnd(let run, let events):
            // Begun here as a fire is. `run` waits for it.
            endsOnTheirWay += 1
            Task.immediate {
                await self.storeEnd(id, run, events)
                self.endsOnTheirWay -= 1
                self.resumeDrains()
            }
        case .retryEnd(let delay):
            enqueue.yield(.later(id, .endRetryDue, after: delay))
        case .awaitRetry(let due, let number):
            enqueue.yield(.awaitRetry(id, due, after: number))
        case .lookAgain(_, let delay):
            lookAgain(id, after: delay)
        case .keepOutput(let run, let attempt):
            keepOutput(of: attempt, run)
        case .clean(let invocation, let attempt):
            launching.clean(invocation, run: id, attempt: attempt)
        }
    }

    private func answer(_ id: RunID, _ result: Result<Run?, FireRefusal>) {
        guard let fire = live[id]?.fire else { return }
        live[id]?.fire = nil
        switch result {
        case .success(let run?): fire.give(.success(run))
        case .success(nil):
            let refusal = StoreRefusal(message: "run \(id) is gone", remedy: "look at the log of fafd")
            fire.give(.failure(.store(refusal)))
        case .failure(let refusal): fire.give(.failure(refusal))
        }
    }

    func lookAgain(_ id: RunID, after delay: Duration) {
        guard live[id]?.looksAgain == false else { return }
        live[id]?.looksAgain = true
        enqueue.yield(.lookAgain(id, after: delay))
    }

    func resumeDrains() {
        let waiting = drains
        drains = []
        for drain in waiting { drain.resume() }
    }
}
