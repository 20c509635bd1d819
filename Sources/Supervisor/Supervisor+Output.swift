import Lifecycle
import Logging
public import Store
public import TaskModel

/// Reads what runs have written. Thread-safe.
public protocol OutputReading: Sendable {
    /// Where the run's output ends now, in bytes of its file; `nil`: it is in no file. Does not block.
    func outputEnd(of run: Run) -> UInt64?

    /// The last lines of an attempt that is over; `nil`: it has none. Blocks, for some seconds at most.
    /// - Parameter end: `outputEnd` when it was over: later attempts write to the same file.
    func lastLines(of attempt: Attempt, _ run: Run, before end: UInt64?) async throws(OutputRefusal) -> OutputTail?
}

/// Why output cannot be read.
public struct OutputRefusal: Error, Sendable, Hashable {
    public var message: String

    public init(message: String) {
        self.message = message
    }
}

/// The last lines of each attempt are read when its end is stored, and kept beside its row. Nothing waits for that, so it
/// is not certain: a supervisor that dies in between has not kept them, nor has one that falls far behind.
extension Supervisor {
    struct EndedAttempt {
        let run: Run
        let attempt: Attempt
        let outputEnd: UInt64?
    }

    /// Attempts that wait for it; those that succeeded are the first that are not waited for.
    private static let waitingAttempts = 1000
    private static let waitingSuccesses = 100
    private static let readAtOnce = 8
    /// How long who asks for last lines waits for those that are being read.
    private static let reading = Duration.seconds(1)

    func keepOutput(of attempt: Attempt, _ run: Run) {
        guard let output else { return }
        let end = output.outputEnd(of: run)
        // It has written nothing.
        if let end, end == attempt.outputStart ?? 0 { return }
        guard endedAttempts.count < (attempt.state == .succeeded ? Self.waitingSuccesses : Self.waitingAttempts) else {
            return log.debug("run \(run.id): too many runs end at once; its last lines are not kept")
        }
        endedAttempts.append(EndedAttempt(run: run, attempt: attempt, outputEnd: end))
        if keepsOutput { return }
        keepsOutput = true
        enqueue.yield(.keepOutput)
    }

    func keepWaitingOutput() async {
        defer { keepsOutput = false }
        while !endedAttempts.isEmpty, !Task.isCancelled {
            let batch = endedAttempts.prefix(Self.readAtOnce)
            await withDiscardingTaskGroup { group in
                for ended in batch { group.addTask { await self.keepAndTell(ended) } }
            }
        }
    }

    private func keepAndTell(_ ended: EndedAttempt) async {
        await keep(ended)
        endedAttempts.removeAll { $0.attempt.invocation == ended.attempt.invocation }
        for feed in feeds.values { feed.publish(ended.run) }
    }

    /// Not on the actor: a file or the journal is read.
    @concurrent
    private nonisolated func keep(_ ended: EndedAttempt) async {
        let id = ended.run.id
        do {
            let tail = try await output?.lastLines(of: ended.attempt, ended.run, before: ended.outputEnd)
            guard let tail else { return }
            try await store.keep(tail, of: ended.attempt.invocation, run: id)
        } catch let refusal as OutputRefusal {
            log.warning("run \(id): its last lines are not kept: \(refusal.message)")
        } catch let error as StoreError {
            log.warning("run \(id): its last lines are not kept: \(error.refusal.message)")
        } catch {}
    }

    /// The last lines of the run's attempts by their numbers. Waits a moment for those that are being read.
    public func tails(of id: RunID) async throws(StoreError) -> [Int: OutputTail] {
        if isReadingOutput(of: id) {
            let feed = subscribe(only: [id])
            defer { unsubscribe(feed) }
            await withTaskGroup { group in
                group.addTask {
                    // A cancelled sleep ends the wait as well.
                    try? await Task.sleep(for: Self.reading)
                    feed.close()
                }
                while isReadingOutput(of: id), await feed.next() != nil {}
                group.cancelAll()
            }
        }
        return try await store.tails(of: id)
    }

    private func isReadingOutput(of id: RunID) -> Bool { endedAttempts.contains { $0.run.id == id } }
}
