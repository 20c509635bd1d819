import Lifecycle
import Logging
import TaskModel

/// Knows tasks by their names. Thread-safe; may block for a moment.
public protocol Triggering: Sendable {
    /// What the supervisor itself would fire as this task now.
    func request(toFire task: String) async throws(TriggerRefusal) -> FireRequest
}

/// Why a task cannot be fired.
public struct TriggerRefusal: Error, Sendable, Hashable {
    public var message: String

    public init(message: String) {
        self.message = message
    }
}

/// Runs that are fired because another one has ended (`OnFailure=` and its like). They are stored with that end, in one
/// transaction, and wait as `queued` for what a retry waits for; so a crash neither loses nor doubles one.
extension Supervisor {
    /// As many follow on one another; with two tasks that name each other it would have no end.
    private static let longestChain = 4

    /// The followers of this end, numbered; the same ones when it could not be stored and is tried again.
    func followers(of ended: Run, _ events: [RunTrigger.Event]) async throws(StoreRefusal) -> [Run] {
        if let known = live[ended.id]?.followers { return known }
        var followers: [Run] = []
        for event in events {
            let trigger = RunTrigger(event, ended)
            for task in ended.settings.followUps[event] {
                guard trigger.depth <= Self.longestChain else {
                    let why = "\(Self.longestChain) runs have followed on one another already"
                    log.warning("run \(ended.id): \(event.rawValue)=\(task) is not fired: \(why)")
                    continue
                }
                let request: FireRequest
                do throws(TriggerRefusal) {
                    guard let triggering else { continue }
                    request = try await triggering.request(toFire: task)
                } catch {
                    log.error("run \(ended.id): \(event.rawValue)=\(task) cannot be fired: \(error.message)")
                    continue
                }
                var run = request.run(try await numbers.next(), .queued, at: now())
                run.trigger = trigger
                run.retry = RetryState()
                run.retry?.due = moment
                followers.append(run)
            }
        }
        live[ended.id]?.followers = followers
        return followers
    }

    /// They are on disk.
    func begin(_ followers: [Run]) {
        for run in followers {
            let machine = RunMachine.adopt(run, boot: boot)
            live[run.id] = Live(machine: machine)
            for feed in feeds.values { feed.publish(run) }
            if let wait = machine.awaited { enqueue.yield(.awaitRetry(run.id, wait.due, after: wait.after)) }
        }
    }
}
