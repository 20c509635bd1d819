import FafAPI
import LinuxSystem
import Supervisor
import TaskModel
import VarlinkServer

extension FafService {
    /// µs after the end of a run in which journald may still have something of it to store.
    private static let settling: Int64 = 60_000_000
    /// Attempts of a task that are remembered; more are asked for again.
    private static let remembered = 10_000

    /// The run's output, or that of all runs of the task that have one of these identifiers.
    func readJournal(
        _ identifiers: [String], _ request: Wire.ReadLog.Request, _ caller: PeerCredentials, _ log: inout LogWriter
    ) async throws(VarlinkFailure) {
        let follow = request.follow ?? false
        let start = OutputStart(
            last: request.lines, since: request.since.map { Timestamp(microseconds: $0) }, after: request.after)
        let journal: any OutputReader
        do { journal = try host.journal(from: start) } catch { throw unavailable(error) }
        var selection = OutputSelection()
        selection.identifiers = identifiers
        while true {
            var mood = follow ? OutputMood.waiting : .last
            var isOver = !follow
            // Asked before the journal is read, so that what was written before the end is read.
            if request.run != nil {
                (mood, isOver) = try await select(request, caller, &selection)
            }
            try await copy(journal, mood, &selection, request.task, caller, &log)
            if isOver { break }
        }
        if case .lines(let lines, _) = try await next(journal, .rest, selection) {
            try await log.send(lines, place: nil)
        }
        try await log.end()
    }

    /// The attempts that are wanted, with those that have begun meanwhile.
    private func select(
        _ request: Wire.ReadLog.Request, _ caller: PeerCredentials, _ selection: inout OutputSelection
    ) async throws(VarlinkFailure) -> (OutputMood, isOver: Bool) {
        let run = try await visibleRun(request.run ?? 0, caller, to: "read the log of")
        let follow = request.follow ?? false
        var end = run.state.isFinal ? run.endedAt : nil
        var isOver = run.state.isFinal
        for attempt in run.attempts where request.attempt == nil || attempt.number == request.attempt.map(Int.init) {
            selection.add(attempt, of: run)
            if request.attempt != nil, attempt.state != nil {
                end = attempt.endedAt
                isOver = true
            }
        }
        if let number = request.attempt, selection.attempts.isEmpty, !follow || isOver {
            throw Wire.BadParameter(
                parameter: "attempt", message: "run \(run.id) has no attempt \(number)",
                remedy: "faf show \(run.id) lists its attempts"
            ).failure
        }
        if !isOver { return (follow ? .waiting : .now, !follow) }
        return (end.map { Clocks.realtime - $0.microseconds > Self.settling } ?? false ? .now : .last, true)
    }

    /// To the journal's present end.
    private func copy(
        _ journal: any OutputReader, _ mood: OutputMood, _ selection: inout OutputSelection, _ task: String?,
        _ caller: PeerCredentials, _ log: inout LogWriter
    ) async throws(VarlinkFailure) {
        while true {
            switch try await next(journal, mood, selection) {
            case .lines(let lines, let place):
                try await log.send(lines, place: place)
                if lines.isEmpty { return }
            case .unknown(let source):
                if selection.attempts.count + selection.refused.count >= Self.remembered {
                    let identifiers = selection.identifiers
                    selection = OutputSelection()
                    selection.identifiers = identifiers
                }
                let run = try await run(source.run.rawValue)
                if let run, run.task == task, access.maySee(caller, run),
                    let attempt = run.attempts.first(where: { $0.number == source.attempt }),
                    source.invocation == nil || source.invocation == attempt.invocation
                {
                    selection.add(attempt, of: run)
                } else {
                    selection.refused.insert(source)
                }
            }
            if Task.isCancelled { throw .clientGone }
        }
    }

    private func next(
        _ journal: any OutputReader, _ mood: OutputMood, _ selection: OutputSelection
    ) async throws(VarlinkFailure) -> OutputPart {
        if Task.isCancelled { throw .clientGone }
        do { return try await journal.next(mood, of: selection) } catch { throw unavailable(error) }
    }

    func unavailable(_ error: HostRefusal) -> VarlinkFailure {
        Wire.Unavailable(message: "\(error.subject): \(error.message)", remedy: error.remedy).failure
    }
}
