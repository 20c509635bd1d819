public import TaskModel

/// Judges how an attempt ended, as `Type=oneshot` is judged: only exit code 0 and `SuccessExitStatus=` succeed
/// (systemd.service(5)), and a TERM that a stop sent is no success.
public enum Verdict {
    public static func judge(
        _ observation: AttemptObservation, settings: TaskSettings
    ) -> (state: RunState, reason: Reason) {
        guard let exit = observation.exit else {
            return (.lost, Reason(.lost, "how its main process ended is not known"))
        }
        if case .notStarted(let step, let errno) = exit {
            let text = "the script did not start: step \(step) failed: \(errorText(errno))"
            return (.failed, Reason(.exec, text + (outputRemedy(step, settings).map { "; " + $0 } ?? "")))
        }
        if let stop = observation.stop, let verdict = judge(stop: stop, exit, observation, settings) {
            return verdict
        }
        if observation.stop?.cause == .outOfMemory {
            return (.failed, Reason(.oomKill, memoryText(observation, settings)))
        }
        if let verdict = judgeMemory(exit, observation, settings: settings) { return verdict }
        if let signal = observation.lastSignal, case .signaled(signal.signal, _) = exit {
            return (.killed, Reason(.signal, "uid \(signal.uid) sent \(signalName(signal.signal))"))
        }
        let verdict = judge(exit: exit, settings)
        if verdict.state == .succeeded, settings.kind == .notify, !observation.isReady {
            return (.failed, Reason(.protocol, "it ended before it said READY=1, which Type=notify asks for"))
        }
        return verdict
    }

    private static func judge(
        stop: StopRequest, _ exit: ProcessExit, _ observation: AttemptObservation, _ settings: TaskSettings
    ) -> (state: RunState, reason: Reason)? {
        let isKilledAtOnce = stop.cause == .silence && settings.silenceAction == .kill
        let how =
            observation.wasKilled && !isKilledAtOnce
            ? "; it did not stop in time and was killed (\(text(exit)))" : " (\(text(exit)))"
        switch stop.cause {
        case .kill:
            return (.killed, Reason(.signal, "stopped by uid \(stop.uid)" + how))
        case .shutdown:
            return (.killed, Reason(.shutdown, "stopped because the tasks' unit was stopped" + how))
        case .timeoutStart:
            return (.timedOut, Reason(.timeout, "it did not say READY=1 within TimeoutStartSec=" + how))
        case .stopping:
            guard observation.wasKilled, case .signaled(9, _) = exit else { return nil }
            return (.timedOut, Reason(.timeout, "it said STOPPING=1 and did not end within TimeoutStopSec=" + how))
        case .memoryLimit, .cpuLimit, .pressure:
            return judge(condition: stop.cause, observation, how)
        case .runtime:
            return (.timedOut, Reason(.timeout, "it ran longer than RuntimeMaxSec=" + how))
        case .watchdog:
            let text = "it did not say WATCHDOG=1 within WatchdogSec=, or said WATCHDOG=trigger"
            return (.timedOut, Reason(.watchdog, text + how))
        case .silence:
            let text = "no output, status or progress came from it for SilenceSec="
            return (.timedOut, Reason(.silence, text + how))
        case .restart:
            return (.killed, Reason(.signal, "stopped, to be started again" + how))
        case .leftovers, .signal, .outOfMemory, .freeze, .thaw:
            return nil
        }
    }

    private static func judge(exit: ProcessExit, _ settings: TaskSettings) -> (state: RunState, reason: Reason) {
        switch exit {
        case .exited(0):
            return (.succeeded, Reason(.success, "exit status 0"))
        case .exited(let code):
            if settings.successExitStatus.codes.contains(code) {
                return (.succeeded, Reason(.success, "exit status \(code), which SuccessExitStatus= names"))
            }
            return (.failed, Reason(.exitCode, "exit status \(code)"))
        case .signaled(let signal, let dumped):
            if settings.successExitStatus.signals.contains(signal) {
                return (.succeeded, Reason(.success, "\(signalName(signal)), which SuccessExitStatus= names"))
            }
            return (.failed, Reason(dumped ? .coreDump : .signal, text(exit)))
        case .notStarted(let step, let errno):
            return (.failed, Reason(.exec, "step \(step) failed: \(errorText(errno))"))
        case .unknown:
            return (.lost, Reason(.lost, "its main process was not a child of its shim, so its exit status is unknown"))
        }
    }

    /// What to do about a step that opens the script's output.
    private static func outputRemedy(_ step: String, _ settings: TaskSettings) -> String? {
        let setting: (name: String, value: TaskSettings.Output?)
        switch step {
        case "stdout": setting = ("StandardOutput", settings.standardOutput)
        case "stderr": setting = ("StandardError", settings.standardError)
        default: return nil
        }
        switch setting.value {
        case .journal:
            return "look at systemctl status systemd-journald, or set \(setting.name)= to a file, and fire it again"
        case .file(let path), .append(let path), .truncate(let path):
            return "\(setting.name)= names \(path): let the run's user write it, or name another file"
        case .inherit, .null, nil: return nil
        }
    }

    static func text(_ exit: ProcessExit) -> String {
        switch exit {
        case .exited(let code): "exit status \(code)"
        case .signaled(let signal, let dumped): "ended by \(signalName(signal))" + (dumped ? ", core dumped" : "")
        case .notStarted(let step, let errno): "step \(step) failed: \(errorText(errno))"
        case .unknown: "exit status unknown"
        }
    }

    /// "SIGTERM" (signal(7), Linux numbers of x86-64 and arm64).
    public static func signalName(_ signal: UInt8) -> String {
        let names = [
            "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
            "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
            "WINCH", "IO", "PWR", "SYS",
        ]
        if signal >= 1, signal <= names.count { return "SIG" + names[Int(signal) - 1] }
        if signal >= 34, signal <= 64 { return signal == 34 ? "SIGRTMIN" : "SIGRTMIN+\(signal - 34)" }
        return "signal \(signal)"
    }

    /// The errors that starting a script meets, in words (errno(3)); the number for the rest.
    static func errorText(_ errno: Int32) -> String {
        let texts: [Int32: String] = [
            1: "Operation not permitted (EPERM)", 2: "No such file or directory (ENOENT)", 5: "I/O error (EIO)",
            6: "No such device or address (ENXIO)",
            7: "Argument list too long (E2BIG)", 8: "Exec format error (ENOEXEC): no #! line, and no binary",
            11: "Resource temporarily unavailable (EAGAIN)", 12: "Cannot allocate memory (ENOMEM)",
            13: "Permission denied (EACCES)", 20: "Not a directory (ENOTDIR)", 21: "Is a directory (EISDIR)",
            22: "Invalid argument (EINVAL)", 23: "Too many open files in system (ENFILE)",
            24: "Too many open files (EMFILE)", 26: "Text file busy (ETXTBSY)", 28: "No space left on device (ENOSPC)",
            30: "Read-only file system (EROFS)", 36: "File name too long (ENAMETOOLONG)",
            40: "Too many levels of symbolic links (ELOOP)", 80: "Accessing a corrupted shared library (ELIBBAD)",
            110: "Connection timed out (ETIMEDOUT)", 111: "Connection refused (ECONNREFUSED)",
            116: "the file is no longer the one that was checked (ESTALE)",
        ]
        return texts[errno] ?? "errno \(errno)"
    }
}
