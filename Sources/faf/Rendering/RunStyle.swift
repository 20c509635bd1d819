import FafAPI
import TaskModel

extension Wire.Run {
    /// `nil` for a state that a newer fafd may have.
    var knownState: RunState? { RunState(rawValue: state) }
    var isOver: Bool { knownState?.isFinal ?? (endedAt != nil) }
    var hasSucceeded: Bool { knownState == .succeeded }

    /// As people read it: a run that is frozen runs, too, but does nothing.
    var shownState: String { state == "running" && attempts.last?.frozen != nil ? "frozen" : state }

    /// How long it has run, or ran; `nil` if it has not started.
    func duration(now: Int64) -> Int64? {
        startedAt.map { (endedAt ?? now) - $0 }
    }

    /// What a task said, or why it ended, whichever tells more now.
    var remark: String {
        if isOver || dueAt != nil, !hasSucceeded, let reason { return reason.text }
        return status ?? ""
    }

    func progressText(_ terminal: Terminal) -> String {
        progress.map { ProgressBar.text(done: $0.done, total: $0.total, terminal: terminal) } ?? ""
    }
}

extension Wire.Output {
    /// With a mark where the beginning of a line is missing.
    var shownLines: [String] {
        lines.enumerated().map { $0 == 0 && cut ? "... " + $1 : $1 }
    }
}

enum RunStyle {
    static func color(ofState state: String) -> Terminal.Color? {
        switch RunState(rawValue: state) {
        case .running, .succeeded: .green
        case .queued, .starting: .cyan
        case .stopping: .yellow
        case .failed, .timedOut, .lost, .killed: .red
        case .cancelled: .dim
        case nil: state == "frozen" ? .cyan : nil
        }
    }
}
