internal import TaskModel

extension Verdict {
    /// Stopped because a condition was met. What was seen is told by whoever saw it; the cause alone survives the
    /// supervisor, in the record.
    static func judge(
        condition cause: StopRequest.Cause, _ observation: AttemptObservation, _ how: String
    ) -> (state: RunState, reason: Reason)? {
        guard let quantity = ConditionSettings.Quantity.allCases.first(where: { $0.cause == cause }) else { return nil }
        let kind: Reason.Kind =
            switch quantity {
            case .memory: .memoryLimit
            case .cpu: .cpuLimit
            case .pressure: .memoryPressure
            }
        let text =
            observation.conditions?.last { $0.quantity == quantity }?.text
            ?? "\(quantity.setting)= was exceeded; fafd was restarted before the end, and the samples went with it"
        return (.failed, Reason(kind, text + how))
    }
}
