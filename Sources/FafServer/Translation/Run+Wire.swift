import FafAPI
import Lifecycle
import TaskModel
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
            startedAt: startedAt?.microseconds, endedAt: endedAt?.microseconds, attempts: attempts.map(\.wire))
    }
}

extension Attempt {
    var wire: Wire.Attempt {
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
            usage: usage?.wire)
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
