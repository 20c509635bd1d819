public import Varlink

extension Wire {
    /// Every type of the description, by its name there.
    public static let types: [(name: String, type: any WireObject.Type)] = [
        ("Reason", Reason.self), ("Progress", Progress.self), ("Usage", Usage.self), ("Condition", Condition.self),
        ("Stop", Stop.self), ("Frozen", Frozen.self), ("Output", Output.self), ("Attempt", Attempt.self),
        ("Trigger", Trigger.self),
        ("Run", Run.self), ("Task", TaskInfo.self), ("Problem", Problem.self), ("UnitSource", UnitSource.self),
        ("Setting", Setting.self), ("Missing", Missing.self), ("LogLine", LogLine.self),
    ]

    /// Every method of the interface.
    public static let methods: [any WireMethod.Type] = [
        Fire.self, Kill.self, Freeze.self, Thaw.self, Retry.self, Cancel.self, GetRun.self, ListRuns.self,
        ListTasks.self, GetTask.self,
        Wait.self, Watch.self,
        ReadLog.self, Reload.self, GetInfo.self,
    ]

    /// Every error that the interface declares.
    public static let failures: [any WireFailure.Type] = [
        PermissionDenied.self, NoSuchTask.self, NoSuchRun.self, BadUnit.self, BadParameter.self, ScriptRefused.self,
        LaunchFailed.self, StoreFailed.self, NotActive.self, WrongState.self, LimitReached.self, Unavailable.self,
    ]

    /// The error that an error reply of the wire stands for; `nil` for one that this interface does not declare or
    /// whose parameters do not fit.
    public static func failure(named fullName: String, parameters: JSON) -> (any WireFailure)? {
        guard let type = failures.first(where: { $0.fullName == fullName }) else { return nil }
        return try? type.init(json: parameters)
    }
}
