import FafAPI

/// `faf list`: a line per run.
enum RunTable {
    static func lines(_ runs: [Wire.Run], terminal: Terminal, now: Int64) -> [String] {
        var table = Table(
            [
                ("RUN", .right), ("TASK", .left), ("STATE", .left), ("SINCE", .left), ("FOR", .left), ("", .left),
                ("STATUS", .left),
            ], terminal: terminal)
        for run in runs {
            table.add([
                .init(String(run.number)),
                .init(run.task),
                .init(run.shownState, RunStyle.color(ofState: run.shownState)),
                .init(Clock.ago(run.dueAt ?? run.endedAt ?? run.startedAt ?? run.queuedAt, now: now)),
                .init(run.dueAt == nil ? run.duration(now: now).map(Clock.duration) ?? "" : ""),
                .init(run.progressText(terminal)),
                .init(run.remark),
            ])
        }
        return table.lines
    }
}
