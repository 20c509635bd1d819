import FafAPI
import TaskModel

/// Why a run is as it is, who or what made it so, and what comes next: sentences for people, from what fafd tells of the
/// run and nothing else.
struct Explanation {
    /// What a sentence is about; stable words.
    enum Topic: String {
        case why, who, wrote, before, next
        case advice = "try"
    }

    struct Sentence: Equatable {
        var topic: Topic
        var text: String

        init(_ topic: Topic, _ text: String) {
            self.topic = topic
            self.text = text
        }
    }

    /// Of very many attempts only the latest are told.
    private static let toldAttempts = 5

    let run: Wire.Run
    let now: Int64
    let userName: (Int64) -> String?

    init(_ run: Wire.Run, now: Int64, userName: @escaping (Int64) -> String? = Users.name) {
        self.run = run
        self.now = now
        self.userName = userName
    }

    private var attempt: Wire.Attempt? { run.attempts.last }

    var sentences: [Sentence] {
        switch run.knownState {
        case .queued: waiting
        case .starting: starting
        case .running: running
        case .stopping: stopping
        case .succeeded, .failed, .killed, .timedOut, .cancelled, .lost: over
        // Of a fafd that is newer.
        case nil: run.reason.map { [Sentence(.why, $0.text)] } ?? []
        }
    }

    func lines(_ terminal: Terminal) -> [String] {
        let state = terminal.colored(
            Escape.forTerminal(run.shownState), RunStyle.color(ofState: run.shownState))
        let kind = run.isOver ? run.reason.map { " (\(Escape.forTerminal($0.kind)))" } ?? "" : ""
        let head = terminal.colored("run \(run.number) of \(Escape.forTerminal(run.task))", .bold) + ": " + state + kind
        var last: Topic?
        return [head]
            + sentences.map { sentence in
                let label = sentence.topic == last ? "" : sentence.topic.rawValue + ":"
                last = sentence.topic
                return terminal.colored(Columns.padded(label, to: 8, fromTheRight: true) + " ", .dim)
                    + Escape.forTerminal(sentence.text, keepingTabs: sentence.topic == .wrote)
            }
    }

    // MARK: Not over

    private var waiting: [Sentence] {
        let next = (attempt?.number ?? 0) + 1
        var sentences = earlier(run.attempts.dropLast())
        if let attempt, let reason = attempt.reason {
            // The run's reason is that of its attempt and which retry it waits for, or what keeps it from beginning.
            let isItsOwn = run.reason?.text.hasPrefix(reason.text) ?? false
            let text = isItsOwn ? run.reason?.text ?? "" : reason.text
            sentences.append(Sentence(.why, "attempt \(attempt.number) \(attempt.state): " + text))
            if let run = run.reason, !isItsOwn { sentences.append(Sentence(.why, run.text)) }
            sentences += wrote
        } else if let reason = run.reason {
            sentences.append(Sentence(.why, reason.text))
        }
        let due = run.dueAt.map { $0 > now ? "at \(Clock.localAndAgo($0, now: now))" : nil } ?? nil
        sentences.append(Sentence(.next, "attempt \(next) begins " + (due ?? "as soon as fafd can launch it")))
        let advice = "`faf retry \(run.number)` begins it at once, `faf cancel \(run.number)` ends the run"
        return sentences + [Sentence(.advice, advice)]
    }

    private var starting: [Sentence] {
        guard attempt?.mainPid != nil else {
            return [Sentence(.why, "its script is being launched")] + clocks("TimeoutStartSec=")
        }
        return [Sentence(.why, "its script runs and has not said READY=1 yet, which Type=notify asks for")]
            + clocks("TimeoutStartSec=")
    }

    private var running: [Sentence] {
        let since = run.duration(now: now).map { " for " + Clock.duration($0) } ?? ""
        var sentences = [Sentence(.why, "its script runs" + since)]
        if let frozen = attempt?.frozen {
            let condition = attempt?.conditions?.last { $0.action == "freeze" }
            let who =
                frozen.uid.map { StopText.user($0, userName) + " froze it" }
                ?? condition.map { "\($0.setting)= froze it" }
                ?? "it was frozen, not through faf, or by a condition before fafd was restarted"
            sentences.append(Sentence(.who, "\(who), \(Clock.localAndAgo(frozen.since, now: now))"))
            sentences.append(Sentence(.next, "none of its processes does anything until `faf thaw \(run.number)`"))
        }
        if let since = attempt?.silentSince {
            let when = Clock.localAndAgo(since, now: now)
            sentences.append(
                Sentence(.why, "nothing was heard of it since \(when); SilenceAction=continue leaves it alone"))
        }
        for condition in attempt?.conditions ?? [] { sentences.append(Sentence(.why, met(condition))) }
        return sentences + earlier(run.attempts.dropLast()) + clocks("RuntimeMaxSec=")
    }

    /// When the start or the running time is over.
    private func clocks(_ setting: String) -> [Sentence] {
        guard let limit = attempt?.limitAt else {
            return [Sentence(.next, "no \(setting) ends it: it goes on until its script ends or it is stopped")]
        }
        return [Sentence(.next, "\(setting) stops it at \(Clock.localAndAgo(limit, now: now)), unless it ends before")]
    }

    private var stopping: [Sentence] {
        var sentences = who
        if attempt?.stop == nil {
            let how = attempt.flatMap(exit).map { " (\($0))" } ?? ""
            sentences.append(Sentence(.why, "its main process has ended\(how), and others of its processes are left"))
        }
        switch attempt?.stop {
        case let stop? where stop.finalAt != nil:
            let when = Clock.localAndAgo(stop.finalAt ?? now, now: now)
            let grace = stop.grace.map { " (\($0))" } ?? ""
            sentences.append(
                Sentence(.next, "\(stop.finalSignal ?? "SIGKILL") goes to whatever is left at \(when)" + grace))
        case let stop? where stop.killed:
            sentences.append(Sentence(.next, "the run is over as soon as the kernel has removed its processes"))
        case _?: sentences.append(Sentence(.next, "nobody is killed: the run is over when its processes end"))
        case nil:
            sentences.append(
                Sentence(.next, "the run is over when they are; `faf kill \(run.number)` ends what KillMode= spares"))
        }
        return sentences
    }

    // MARK: Over

    private var over: [Sentence] {
        var sentences = run.reason.map { [Sentence(.why, $0.text)] } ?? []
        let kind = run.reason.flatMap { Reason.Kind(rawValue: $0.kind) }
        if let kind, let meaning = meaning(kind) { sentences.append(Sentence(.why, meaning)) }
        for condition in attempt?.conditions ?? [] where run.reason?.text.contains(condition.text) != true {
            sentences.append(Sentence(.why, met(condition)))
        }
        sentences += who + wrote + earlier(run.attempts.dropLast())
        sentences.append(ended)
        if let kind, let advice = advice(kind) { sentences.append(Sentence(.advice, advice)) }
        return sentences
    }

    private var ended: Sentence {
        guard let endedAt = run.endedAt else { return Sentence(.next, "nothing: it is over") }
        let after = run.duration(now: now).map { ", after \(Clock.duration($0))" } ?? ""
        return Sentence(.next, "nothing: it ended at \(Clock.localAndAgo(endedAt, now: now))" + after)
    }

    // MARK: Parts

    /// Who or what has stopped it, when, and what that did.
    private var who: [Sentence] {
        guard let stop = attempt?.stop else { return [] }
        let cause =
            switch stop.cause {
            case "kill": (stop.uid.map { StopText.user($0, userName) } ?? "somebody") + " stopped it with faf kill"
            case "shutdown": "the tasks' unit was stopped, by hand or because the machine goes down"
            case "restart": "it was stopped to be started again"
            case "stopping": "it said itself that it stops (STOPPING=1)"
            default: "\(stop.setting ?? StopText.cause(stop, userName)) stopped it"
            }
        var text = "\(cause), \(Clock.localAndAgo(stop.since, now: now))"
        if let signal = stop.signal { text += ": \(signal) was sent" }
        if stop.killed {
            text += stop.grace.map { "; it had not ended when \($0) was over, and was killed" } ?? "; it was killed"
        }
        return [Sentence(.who, text)]
    }

    /// The last lines of what has failed.
    private var wrote: [Sentence] {
        guard let attempt, attempt.state != "succeeded", let output = attempt.output else { return [] }
        return output.shownLines.map { Sentence(.wrote, $0) }
    }

    private func met(_ condition: Wire.Condition) -> String {
        "\(condition.text); done: \(condition.action), \(Clock.localAndAgo(condition.at, now: now))"
    }

    private func exit(_ attempt: Wire.Attempt) -> String? {
        attempt.exitStatus.map { "exit status \($0)" } ?? attempt.signal.map { "ended by \($0)" }
    }

    private func earlier(_ attempts: some Sequence<Wire.Attempt>) -> [Sentence] {
        let all = Array(attempts)
        let told = all.suffix(Self.toldAttempts)
        var sentences: [Sentence] = []
        if told.count < all.count { sentences.append(Sentence(.before, "\(all.count - told.count) earlier attempts")) }
        for attempt in told {
            let after = attempt.endedAt.flatMap { end in attempt.startedAt.map { " after \(Clock.duration(end - $0))" }
            }
            let why = attempt.reason.map { " (\($0.kind)): \($0.text)" } ?? ""
            sentences.append(Sentence(.before, "attempt \(attempt.number) \(attempt.state)\(after ?? "")\(why)"))
        }
        return sentences
    }
}
