import FafAPI
import FireAndForget
import Varlink

/// Bare `faf`: what runs, what failed lately, which protections are missing, and what to type next.
enum Overview {
    /// How many of the latest runs that are over are looked at for failures.
    private static let latest: Int64 = 20

    static func show(_ client: Client, json: Bool) throws {
        let info = try client.info()
        let runs = try client.runs(limit: latest)
        if json {
            var object = info.json.objectValue ?? JSONObject()
            object["runs"] = .array(runs.map(\.json))
            return Output.json(.object(object))
        }
        let lines = lines(info, runs, socket: client.socketPath, terminal: .standardOutput, now: Clock.now)
        Output.text(lines.map { $0 + "\n" }.joined())
    }

    static func lines(
        _ info: Wire.GetInfo.Reply, _ runs: [Wire.Run], socket: String, terminal: Terminal, now: Int64
    ) -> [String] {
        let active = runs.filter { !$0.isOver }
        let failed = runs.filter { $0.isOver && !$0.hasSucceeded && $0.state != "cancelled" }
        let succeeded = runs.filter(\.hasSucceeded)
        var lines = [headline(info, socket, terminal)]

        if !active.isEmpty {
            lines += ["", terminal.colored("Not over:", .bold)]
            lines += table(active, terminal: terminal, now: now) { run in
                if let dueAt = run.dueAt { return "queued, due " + Clock.ago(dueAt, now: now) }
                let since = run.startedAt ?? run.queuedAt
                return run.shownState == "running" ? "for " + Clock.duration(now - since) : run.shownState
            }
        }
        if !failed.isEmpty {
            lines += ["", terminal.colored("Did not succeed lately:", .bold)]
            lines += table(failed, terminal: terminal, now: now) { run in
                "\(run.state) \(Clock.ago(run.endedAt ?? run.queuedAt, now: now))"
            }
        }
        if let last = succeeded.first {
            let when = Clock.ago(last.endedAt ?? last.queuedAt, now: now)
            let which = "run \(last.number) of \(Escape.forTerminal(last.task)), \(when)"
            lines += ["", "\(succeeded.count) succeeded lately; the last was \(which)."]
        }
        if !info.missing.isEmpty {
            lines += ["", terminal.colored("Protections that are missing here:", .bold)]
            // Never cut: the end of such a sentence says what it means.
            let wide = Terminal(isTerminal: terminal.isTerminal, columns: nil, hasColors: terminal.hasColors)
            var table = Table([("", .left), ("", .left)], terminal: wide, indent: 2)
            for missing in info.missing { table.add([.init(missing.kind, .yellow), .init(missing.text)]) }
            lines += table.lines
        }
        return lines + [""] + hints(active: active.first, failed: failed.first, hasRuns: !runs.isEmpty)
    }

    private static func headline(_ info: Wire.GetInfo.Reply, _ socket: String, _ terminal: Terminal) -> String {
        let order = ["running", "starting", "stopping", "queued"]
        let states = order + info.active.keys.filter { !order.contains($0) }.sorted()
        let counts = states.compactMap { state in
            info.active[state].flatMap { $0 > 0 ? "\($0) \(Escape.forTerminal(state))" : nil }
        }
        let summary = counts.isEmpty ? "nothing runs" : counts.joined(separator: ", ")
        let name = info.mode == "user" ? "your own fafd" : "fafd"
        return "\(name) \(Escape.forTerminal(info.version)) at \(socket): " + terminal.colored(summary, .bold)
    }

    private static func table(
        _ runs: [Wire.Run], terminal: Terminal, now: Int64, when: (Wire.Run) -> String
    ) -> [String] {
        var table = Table(
            [("", .right), ("", .left), ("", .left), ("", .left), ("", .left)], terminal: terminal, indent: 2)
        for run in runs {
            table.add([
                .init(String(run.number)), .init(run.task), .init(when(run), RunStyle.color(ofState: run.state)),
                .init(run.isOver ? "" : run.progressText(terminal)), .init(run.remark),
            ])
        }
        return table.lines
    }

    private static func hints(active: Wire.Run?, failed: Wire.Run?, hasRuns: Bool) -> [String] {
        var hints: [(String, String)] = []
        if let active {
            hints.append(("faf logs -f \(active.number)", "what it writes"))
            hints.append(("faf kill \(active.number)", "stop it"))
        }
        if let failed {
            hints.append(("faf explain \(failed.number)", "why it did not succeed"))
            if active == nil { hints.append(("faf logs \(failed.number)", "what it wrote")) }
        }
        if active == nil, failed == nil, hasRuns { hints.append(("faf list", "the latest runs")) }
        if active == nil { hints.append(("faf tasks", "what can be fired")) }
        let width = hints.reduce(0) { max($0, $1.0.utf8.count) }
        return hints.map { "  (" + Columns.padded($0.0, to: width) + "  " + $0.1 + ")" }
    }
}
