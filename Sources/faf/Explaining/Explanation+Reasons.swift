import FafAPI
import TaskModel

/// What each reason means beyond its own text, and what to do about it.
extension Explanation {
    func meaning(_ kind: Reason.Kind) -> String? {
        switch kind {
        case .exitCode: "its script ended by itself; only 0 and what SuccessExitStatus= names are success"
        case .signal where run.knownState == .failed:
            "nobody asked faf for it: the script crashed, or something else than faf killed it"
        case .coreDump: "its main process crashed and left a core dump"
        case .resources: "the machine, not the task, stood in the way"
        case .exec: "its script has not run at all"
        case .lost: "nobody was there to see how it ended, so nobody knows how much of its work is done"
        case .reboot: "it was not stopped in order: a power cut, a reset or a crash of the kernel"
        case .success, .signal, .timeout, .watchdog, .oomKill, .protocol, .cancelled, .memoryLimit, .cpuLimit,
            .memoryPressure,
            .silence, .shutdown:
            nil
        }
    }

    func advice(_ kind: Reason.Kind) -> String? {
        let logs = "`faf logs \(run.number)` shows what it wrote"
        let again = "`faf retry \(run.number)` tries it again"
        switch kind {
        case .success: return nil
        case .exitCode, .silence, .watchdog: return logs + " last"
        case .signal where run.knownState == .failed:
            let isKill = run.attempts.last?.signal == "SIGKILL"
            return isKill ? "`journalctl -k` tells whether the kernel ran out of memory; " + logs : logs + " last"
        case .coreDump:
            return run.attempts.last?.mainPid.map { "`coredumpctl info \($0)` shows where; " + logs } ?? logs
        case .timeout: return "give it more time in its unit, or let it ask for more with EXTEND_TIMEOUT_USEC="
        case .oomKill, .memoryLimit, .memoryPressure:
            return "`faf show \(run.number)` tells what it used; raise the limit in its unit, or let it use less"
        case .cpuLimit: return "`faf show \(run.number)` tells what it used; CPUQuota= would hold it back instead"
        case .protocol: return "let its script say READY=1 (systemd-notify --ready), or write Type=simple in its unit"
        case .resources: return "`faf doctor` shows what this machine lacks; then \(again)"
        case .exec: return "`faf run --foreground \(run.task)` tries it in this terminal"
        case .signal, .cancelled, .lost, .reboot: return again
        case .shutdown: return "`systemctl start faf-tasks` lets tasks run again; then \(again)"
        }
    }
}
