import FafAPI
import TaskModel
import Varlink

/// `faf show` and `faf status RUN`: a run in many lines.
struct RunDetails {
    var run: Wire.Run
    var terminal: Terminal
    var now: Int64
    var userName: (Int64) -> String? = Users.name

    /// What somebody wants to know at a glance.
    var summary: [String] {
        var lines = [headline]
        if let status = run.status { lines.append(field("status", status)) }
        if run.progress != nil { lines.append(field("progress", run.progressText(terminal))) }
        if let result = run.result { lines.append(field("result", result)) }
        lines += times
        if !run.isOver, let pid = run.attempts.last?.mainPid { lines.append(field("main process", String(pid))) }
        if let output = run.attempts.last?.output { lines += wrote(output) }
        return lines
    }

    /// Everything.
    var all: [String] {
        var lines = [headline]
        if let status = run.status { lines.append(field("status", status)) }
        if run.progress != nil { lines.append(field("progress", run.progressText(terminal))) }
        if let result = run.result { lines.append(field("result", result)) }
        let name = userName(run.uid).map { "\($0) (\(run.uid))" } ?? "uid \(run.uid)"
        let by = run.trigger.map { "\($0.setting)= of run \($0.run)" } ?? name
        lines.append(field("fired", "\(Clock.localAndAgo(run.queuedAt, now: now)) by \(by)"))
        lines += times
        lines.append(field("priority", String(run.priority)))
        lines.append(field("script", run.script))
        if let release = run.release { lines.append(field("release", release)) }
        for (index, member) in run.parameters.members.enumerated() {
            let text = member.value.stringValue ?? member.value.text
            lines.append(field(index == 0 ? "parameters" : "", "--\(member.name)=\(text)"))
        }
        for attempt in run.attempts { lines += [""] + describe(attempt) }
        return lines
    }

    private var headline: String {
        let state = terminal.colored(run.shownState, RunStyle.color(ofState: run.shownState))
        let head = terminal.colored("run \(run.number) of \(Escape.forTerminal(run.task))", .bold) + ": " + state
        guard let reason = run.reason, !run.hasSucceeded else { return head }
        return head + " (\(Escape.forTerminal(reason.kind))): " + Escape.forTerminal(reason.text)
    }

    private var times: [String] {
        var lines: [String] = []
        if let startedAt = run.startedAt { lines.append(field("started", Clock.localAndAgo(startedAt, now: now))) }
        if let endedAt = run.endedAt {
            let after = run.startedAt.map { ", after \(Clock.duration(endedAt - $0))" } ?? ""
            lines.append(field("ended", Clock.localAndAgo(endedAt, now: now) + after))
        } else if let dueAt = run.dueAt {
            lines.append(field("next attempt", Clock.localAndAgo(dueAt, now: now)))
        } else if let duration = run.duration(now: now) {
            lines.append(field("runs for", Clock.duration(duration)))
        }
        if !run.isOver, run.dueAt == nil, let attempt = run.attempts.last { lines += clocks(attempt) }
        return lines
    }

    /// What stands still, and what will happen when.
    private func clocks(_ attempt: Wire.Attempt) -> [String] {
        var lines: [String] = []
        if let stop = attempt.stop {
            lines.append(field("stopped by", StopText.cause(stop, userName)))
            lines.append(field("", StopText.text(stop, now: now)))
        }
        if let frozen = attempt.frozen {
            let who = frozen.uid.map { " by " + StopText.user($0, userName) } ?? ""
            lines.append(field("frozen", Clock.localAndAgo(frozen.since, now: now) + who))
        }
        if let since = attempt.silentSince { lines.append(field("silent since", Clock.localAndAgo(since, now: now))) }
        if let limit = attempt.limitAt { lines.append(field("limited to", Clock.localAndAgo(limit, now: now))) }
        return lines
    }

    private func describe(_ attempt: Wire.Attempt) -> [String] {
        let state = terminal.colored(Escape.forTerminal(attempt.state), RunStyle.color(ofState: attempt.state))
        var lines = [terminal.colored("attempt \(attempt.number)", .bold) + ": " + state]
        lines.append(field("invocation", attempt.invocationId))
        let processes = [attempt.shimPid.map { "shim \($0)" }, attempt.mainPid.map { "main \($0)" }]
        let known = processes.compactMap { $0 }
        if !known.isEmpty { lines.append(field("processes", known.joined(separator: ", "))) }
        if let startedAt = attempt.startedAt { lines.append(field("started", Clock.localAndAgo(startedAt, now: now))) }
        if let endedAt = attempt.endedAt {
            let after = attempt.startedAt.map { ", after \(Clock.duration(endedAt - $0))" } ?? ""
            lines.append(field("ended", Clock.localAndAgo(endedAt, now: now) + after))
        }
        if let exitStatus = attempt.exitStatus { lines.append(field("exit status", String(exitStatus))) }
        if let signal = attempt.signal { lines.append(field("signal", signal)) }
        if let reason = attempt.reason { lines.append(field("reason", "\(reason.kind): \(reason.text)")) }
        for condition in attempt.conditions ?? [] {
            let when = Clock.localAndAgo(condition.at, now: now)
            lines.append(field("condition", "\(condition.text); \(condition.action), \(when)"))
        }
        if let usage = attempt.usage {
            lines.append(field("used", describe(usage)))
            lines += limits(usage)
        }
        if let output = attempt.output { lines += wrote(output) }
        return lines
    }

    private func wrote(_ output: Wire.Output) -> [String] {
        output.shownLines.enumerated().map { field($0 == 0 ? "wrote last" : "", $1, keepingTabs: true) }
    }

    /// What the kernel did on behalf of the unit, if it did anything.
    private func limits(_ usage: Wire.Usage) -> [String] {
        var lines: [String] = []
        if let read = usage.readBytes, let written = usage.writtenBytes, read + written > 0 {
            lines.append(field("disks", "\(size(read)) read, \(size(written)) written"))
        }
        if let held = usage.cpuThrottledUSec, held > 0 {
            lines.append(field("held back", "\(Clock.duration(held)) by CPUQuota="))
        }
        if let kills = usage.oomKills, kills > 0 {
            lines.append(field("out of memory", "the kernel killed \(kills) \(kills == 1 ? "process" : "processes")"))
        }
        if let forks = usage.refusedForks, forks > 0 {
            lines.append(field("TasksMax=", "refused \(forks) \(forks == 1 ? "fork" : "forks")"))
        }
        return lines
    }

    private func describe(_ usage: Wire.Usage) -> String {
        let cpu = usage.cpuUSec ?? (usage.userUSec + usage.systemUSec)
        let (user, system) = (usage.cpuUserUSec ?? usage.userUSec, usage.cpuSystemUSec ?? usage.systemUSec)
        let memory = usage.memoryPeakBytes ?? usage.maxResidentBytes
        let which = usage.memoryPeakBytes == nil ? "in its largest process" : "in all its processes"
        return "\(Clock.duration(cpu)) of CPU time (\(Clock.duration(user)) user, "
            + "\(Clock.duration(system)) kernel), \(size(memory)) of memory at most \(which)"
    }

    private func size(_ bytes: Int64) -> String { ByteSize.text(UInt64(clamping: bytes)) }

    private func field(_ name: String, _ value: String, keepingTabs: Bool = false) -> String {
        let label =
            name.isEmpty
            ? String(repeating: " ", count: 15) : Columns.padded(name + ":", to: 14, fromTheRight: true) + " "
        return terminal.colored(label, .dim) + Escape.forTerminal(value, keepingTabs: keepingTabs)
    }
}
