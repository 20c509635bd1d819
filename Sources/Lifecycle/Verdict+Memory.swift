internal import TaskModel

extension Verdict {
    /// The kernel's OOM killer was at work, and that decides. `nil`: it was not, or the task lives with it
    /// (`OOMPolicy=continue`).
    static func judgeMemory(
        _ exit: ProcessExit, _ observation: AttemptObservation, settings: TaskSettings
    ) -> (state: RunState, reason: Reason)? {
        guard let kills = observation.usage?.counters?.oomKills, kills > 0 else { return nil }
        if settings.resources.oomPolicy == .continue {
            guard case .signaled(9, _) = exit, observation.lastSignal?.signal != 9, !observation.wasKilled else {
                return nil
            }
        }
        return (.failed, Reason(.oomKill, memoryText(observation, settings)))
    }

    /// Whose limit it was, and how much there was: its own limit is blamed only if the kernel says so (threat-model E4).
    static func memoryText(_ observation: AttemptObservation, _ settings: TaskSettings) -> String {
        let usage = observation.usage
        let counters = usage?.counters
        let kills = counters?.oomKills ?? 0
        let victims =
            (counters?.oomGroupKills ?? 0) > 0
            ? "all of its processes at once" : kills == 1 ? "one of its processes" : "\(kills) of its processes"
        let who = kills == 0 ? "the kernel killed processes of it" : "the kernel killed \(victims)"
        let facts = [
            counters?.memoryMaxBytes.map { "MemoryMax=\(ByteSize.text($0))" },
            usage?.memoryPeakBytes.map { "peak \(ByteSize.text($0))" },
        ]
        let shown = facts.compactMap(\.self).joined(separator: ", ")
        return who + why(counters) + (shown.isEmpty ? "" : " (\(shown))")
    }

    private static func why(_ counters: CgroupCounters?) -> String {
        switch (counters?.ownOutOfMemory, counters?.memoryMaxBytes) {
        case (nil, _): " for lack of memory"
        case (0, nil): " because memory ran out around it; it has no MemoryMax="
        case (0, _): " because memory ran out around it, not by its own limit"
        case (_, _): " because it had reached its own limit"
        }
    }
}
