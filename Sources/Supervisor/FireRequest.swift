public import TaskModel

/// Everything that a run is made of, checked and resolved; the supervisor adds number, time and attempt.
public struct FireRequest: Sendable {
    public var task: String
    public var parameters: [Parameter]
    public var settings: TaskSettings
    public var identity: RunIdentity
    public var rights: RunRights
    public var script: CheckedScript
    public var priority: Int

    public init(
        task: String, parameters: [Parameter], settings: TaskSettings, identity: RunIdentity, rights: RunRights,
        script: CheckedScript, priority: Int = 10
    ) {
        self.task = task
        self.parameters = parameters
        self.settings = settings
        self.identity = identity
        self.rights = rights
        self.script = script
        self.priority = priority
    }
}

extension FireRequest {
    func run(_ id: RunID, _ state: RunState, at time: Timestamp) -> Run {
        Run(
            id: id, task: task, parameters: parameters, settings: settings, identity: identity, rights: rights,
            script: script, priority: priority, state: state, queuedAt: time, attempts: [])
    }
}
