import FafAPI
import Lifecycle
import TaskModel
import TaskUnits
import Varlink

extension Run {
    var wire: Wire.Run {
        var values = JSONObject()
        for parameter in parameters { values[parameter.name] = parameter.value.json }
        return Wire.Run(
            number: id.rawValue, task: task, state: state.rawValue, reason: reason?.wire, status: status,
            progress: progress.map { Wire.Progress(done: Int64(clamping: $0.done), total: Int64(clamping: $0.total)) },
            result: resultText, parameters: values, uid: Int64(rights.firedBy), script: script.realPath,
            release: script.release, priority: Int64(priority), queuedAt: queuedAt.microseconds,
            startedAt: startedAt?.microseconds, endedAt: endedAt?.microseconds,
            dueAt: state == .queued ? retry?.due?.realtime.microseconds : nil,
            trigger: trigger.map {
                Wire.Trigger(
                    setting: $0.event.rawValue, run: $0.run.rawValue, attempt: $0.attempt.map { Int64($0) })
            }, attempts: attempts.map { $0.wire(settings) })
    }
}

extension Attempt {
    func wire(_ settings: TaskSettings) -> Wire.Attempt {
        var code: Int64?
        var signal: String?
        switch exit {
        case .exited(let status): code = Int64(status)
        case .signaled(let number, _): signal = Verdict.signalName(number)
        case .notStarted, .unknown, nil: break
        }
        var wire = Wire.Attempt(
            number: Int64(number), invocationId: invocation.description, shimPid: shimPID.map { Int64($0) },
            mainPid: mainPID.map { Int64($0) }, state: (state ?? .starting).rawValue, exitStatus: code, signal: signal,
            reason: reason?.wire, startedAt: startedAt?.microseconds, endedAt: endedAt?.microseconds,
            usage: usage?.wire, stop: stop?.wire(settings),
            frozen: clocks?.frozenSince.map { since in
                Wire.Frozen(since: since.microseconds, uid: clocks?.frozenBy.map { Int64($0) })
            }, limitAt: clocks?.limitAt?.microseconds, silentSince: clocks?.silentSince?.microseconds)
        wire.conditions = conditions?.map(\.wire)
        return wire
    }
}

extension ConditionVerdict {
    var wire: Wire.Condition {
        Wire.Condition(
            setting: quantity.setting, above: Int64(clamping: above), samples: samples.map { Int64(clamping: $0) },
            action: action.rawValue, at: at.microseconds, text: text)
    }
}

extension AttemptStop {
    func wire(_ settings: TaskSettings) -> Wire.Stop {
        let isKilledAtOnce = request.cause == .silence && settings.silenceAction == .kill
        let isSent = request.cause != .stopping && settings.killMode != .none && !isKilledAtOnce
        let waits = settings.sendSIGKILL && settings.killMode != .none && !isKilledAtOnce
        let abort = request.cause == .watchdog && settings.timeoutAbort != nil
        let final = wasKilled ? 9 : settings.finalKillSignal ?? 9
        return Wire.Stop(
            cause: request.cause.word, signal: isSent ? Verdict.signalName(request.signal) : nil,
            uid: request.cause.isAskedFor ? Int64(request.uid) : nil,
            setting: request.cause.setting.flatMap { SettingTable.assignment($0, settings) },
            grace: waits ? SettingTable.assignment(abort ? "TimeoutAbortSec" : "TimeoutStopSec", settings) : nil,
            since: since.microseconds,
            finalSignal: finalSignalAt.map { _ in Verdict.signalName(final) }, finalAt: finalSignalAt?.microseconds,
            killed: wasKilled)
    }
}

extension StopRequest.Cause {
    var word: String {
        switch self {
        case .kill: "kill"
        case .signal: "signal"
        case .timeoutStart: "start"
        case .leftovers: "leftovers"
        case .shutdown: "shutdown"
        case .stopping: "stopping"
        case .runtime: "runtime"
        case .watchdog: "watchdog"
        case .silence: "silence"
        case .restart: "restart"
        case .outOfMemory: "oom"
        case .freeze: "freeze"
        case .thaw: "thaw"
        case .memoryLimit: "memory"
        case .cpuLimit: "cpu"
        case .pressure: "pressure"
        }
    }

    /// What of the unit asks for it.
    var setting: String? {
        switch self {
        case .timeoutStart: "TimeoutStartSec"
        case .runtime: "RuntimeMaxSec"
        case .watchdog: "WatchdogSec"
        case .silence: "SilenceSec"
        case .outOfMemory: "OOMPolicy"
        case .memoryLimit: ConditionSettings.Quantity.memory.setting
        case .cpuLimit: ConditionSettings.Quantity.cpu.setting
        case .pressure: ConditionSettings.Quantity.pressure.setting
        case .kill, .signal, .leftovers, .shutdown, .stopping, .restart, .freeze, .thaw: nil
        }
    }

    /// By a caller, not by the shim itself.
    var isAskedFor: Bool {
        switch self {
        case .kill, .signal, .shutdown, .restart, .freeze, .thaw: true
        case .timeoutStart, .leftovers, .stopping, .runtime, .watchdog, .silence, .outOfMemory, .memoryLimit,
            .cpuLimit, .pressure:
            false
        }
    }
}

extension Reason {
    var wire: Wire.Reason { Wire.Reason(kind: kind.rawValue, text: text) }
}

extension Usage {
    var wire: Wire.Usage {
        func number(_ value: UInt64?) -> Int64? { value.map { Int64(clamping: $0) } }
        var wire = Wire.Usage(
            userUSec: Int64(clamping: userMicroseconds), systemUSec: Int64(clamping: systemMicroseconds),
            maxResidentBytes: Int64(clamping: maxResidentBytes), memoryPeakBytes: number(memoryPeakBytes),
            cpuUSec: number(cgroupMicroseconds))
        wire.cpuUserUSec = number(counters?.userMicroseconds)
        wire.cpuSystemUSec = number(counters?.systemMicroseconds)
        wire.cpuThrottledUSec = number(counters?.throttledMicroseconds)
        wire.memoryMaxBytes = number(counters?.memoryMaxBytes)
        wire.oomKills = number(counters?.oomKills)
        wire.readBytes = number(counters?.readBytes)
        wire.writtenBytes = number(counters?.writtenBytes)
        wire.reads = number(counters?.reads)
        wire.writes = number(counters?.writes)
        wire.refusedForks = number(counters?.refusedForks)
        return wire
    }
}
