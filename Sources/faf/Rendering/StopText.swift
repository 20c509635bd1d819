import FafAPI

/// What a stop has done and will do.
enum StopText {
    /// `SIGTERM sent; SIGKILL follows in 1 min`
    static func text(_ stop: Wire.Stop, now: Int64) -> String {
        var parts: [String] = []
        if stop.killed {
            parts.append("killed")
        } else {
            parts.append(stop.signal.map { Escape.forTerminal($0) + " sent" } ?? "no signal sent")
        }
        if let at = stop.finalAt {
            // In whole seconds, and not one too few.
            let left = max(0, at - now + 999_999) / 1_000_000 * 1_000_000
            parts.append("\(Escape.forTerminal(stop.finalSignal ?? "SIGKILL")) follows in \(Clock.duration(left))")
        }
        return parts.joined(separator: "; ")
    }

    /// Who or what it was: `faf kill by alice (2001)`, `RuntimeMaxSec=`.
    static func cause(_ stop: Wire.Stop, _ userName: (Int64) -> String?) -> String {
        switch stop.cause {
        case "kill": "faf kill" + (stop.uid.map { " by " + user($0, userName) } ?? "")
        case "shutdown": "the tasks' unit was stopped"
        case "restart": "to be started again"
        case "start": "TimeoutStartSec="
        case "runtime": "RuntimeMaxSec="
        case "watchdog": "WatchdogSec="
        case "silence": "SilenceSec="
        case "oom": "OOMPolicy=stop"
        case "memory": "MemoryAbove="
        case "cpu": "CPUAbove="
        case "pressure": "PressureAbove="
        case "stopping": "it said STOPPING=1"
        default: stop.cause
        }
    }

    static func user(_ uid: Int64, _ userName: (Int64) -> String?) -> String {
        userName(uid).map { "\($0) (\(uid))" } ?? "uid \(uid)"
    }
}
