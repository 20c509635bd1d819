internal import Logging
internal import TaskModel

/// What the log says of a run, with fields for the journal. The ids are those of contrib/systemd/faf.catalog.
struct RunReport {
    let message: String
    private(set) var metadata: Logger.Metadata

    static func started(_ run: Run) -> RunReport {
        let number = run.attempts.last?.number ?? 1
        let by = run.trigger.map { "\($0.event.rawValue)= of run \($0.run)" } ?? "uid \(run.rights.firedBy)"
        let what = number > 1 ? "attempt \(number)" : "fired by \(by)"
        return RunReport("run \(run.id) of \(run.task): \(what)", "299d75f803394d6ab5ec01309beddca6", run)
    }

    static func waits(_ run: Run) -> RunReport {
        let attempt = run.attempts.last.map { "attempt \($0.number) \($0.state?.rawValue ?? "") " } ?? ""
        let why = run.reason.map { "(\($0.text))" } ?? ""
        return RunReport("run \(run.id) of \(run.task): \(attempt)\(why)", "ba9a2a2d5c534c4a8a9bca6f0d7c0e3f", run)
    }

    static func ended(_ run: Run) -> RunReport {
        let id =
            switch run.state {
            case .succeeded: "b0fa15e9631147c2985b739f84d0d36d"
            case .lost: "dd69c25b52f042679dde5b4defe67132"
            default: "b94c5710635e40a18c739be42025f537"
            }
        let why = run.reason.map { " (\($0.text))" } ?? ""
        return RunReport("run \(run.id) of \(run.task): \(run.state.rawValue)\(why)", id, run)
    }

    static func silent(_ run: Run) -> RunReport {
        RunReport(
            "run \(run.id) of \(run.task): silent for longer than SilenceSec=; SilenceAction=continue leaves it alone",
            "c086529842684fbc9d3d2c79e1594b0f", run)
    }

    static func condition(_ run: Run, _ verdict: ConditionVerdict) -> RunReport {
        var report = RunReport(
            "run \(run.id) of \(run.task): \(verdict.text)", "33c09982e95c45b9a8cb02576d8ccb2b", run)
        report.metadata["FAF_CONDITION"] = "\(verdict.quantity.setting)"
        report.metadata["FAF_ACTION"] = "\(verdict.action.rawValue)"
        return report
    }

    private init(_ message: String, _ id: String, _ run: Run) {
        var metadata: Logger.Metadata = [
            "MESSAGE_ID": "\(id)", "FAF_RUN": "\(run.id)", "FAF_TASK": "\(run.task)",
            "FAF_STATE": "\(run.state.rawValue)", "FAF_UID": "\(run.identity.uid)",
            "FAF_FIRED_BY": "\(run.rights.firedBy)",
        ]
        if let reason = run.reason {
            metadata["FAF_REASON"] = "\(reason.kind.rawValue)"
            metadata["FAF_REASON_TEXT"] = "\(reason.text)"
        }
        if let attempt = run.attempts.last {
            metadata["FAF_ATTEMPT"] = "\(attempt.number)"
            metadata["INVOCATION_ID"] = "\(attempt.invocation)"
        }
        self.message = message
        self.metadata = metadata
    }
}
