public import Varlink

extension Wire {
    /// One firing of a task.
    public struct Run: WireObject {
        /// Rising, never used twice.
        public var number: Int64
        /// With its instance, without .task.
        public var task: String
        /// queued, starting, running, stopping, succeeded, failed, killed, timed-out, cancelled, lost.
        public var state: String
        public var reason: Reason?
        /// The latest STATUS= of the task.
        public var status: String?
        public var progress: Progress?
        /// The latest X_FAF_RESULT= of the task.
        public var result: String?
        /// Names to values, defaults included.
        public var parameters: JSONObject
        /// Who fired it.
        public var uid: Int64
        /// The real path of the script.
        public var script: String
        /// The release directory that the script lies in, if it lies in one (.../releases/NAME).
        public var release: String?
        public var priority: Int64
        public var queuedAt: Int64
        public var startedAt: Int64?
        public var endedAt: Int64?
        /// While it is queued: when its next attempt begins.
        public var dueAt: Int64?
        /// What it follows on; `nil`: somebody fired it.
        public var trigger: Trigger?
        public var attempts: [Attempt]

        public init(
            number: Int64, task: String, state: String, reason: Reason? = nil, status: String? = nil,
            progress: Progress? = nil, result: String? = nil, parameters: JSONObject, uid: Int64, script: String,
            release: String? = nil, priority: Int64, queuedAt: Int64, startedAt: Int64? = nil, endedAt: Int64? = nil,
            dueAt: Int64? = nil, trigger: Trigger? = nil, attempts: [Attempt]
        ) {
            self.number = number
            self.task = task
            self.state = state
            self.reason = reason
            self.status = status
            self.progress = progress
            self.result = result
            self.parameters = parameters
            self.uid = uid
            self.script = script
            self.release = release
            self.priority = priority
            self.queuedAt = queuedAt
            self.startedAt = startedAt
            self.endedAt = endedAt
            self.dueAt = dueAt
            self.trigger = trigger
            self.attempts = attempts
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            number = try fields.required("number")
            task = try fields.required("task")
            state = try fields.required("state")
            reason = try fields.optional("reason")
            status = try fields.optional("status")
            progress = try fields.optional("progress")
            result = try fields.optional("result")
            parameters = try fields.required("parameters")
            uid = try fields.required("uid")
            script = try fields.required("script")
            release = try fields.optional("release")
            priority = try fields.required("priority")
            queuedAt = try fields.required("queuedAt")
            startedAt = try fields.optional("startedAt")
            endedAt = try fields.optional("endedAt")
            dueAt = try fields.optional("dueAt")
            trigger = try fields.optional("trigger")
            attempts = try fields.list("attempts")
        }

        public var json: JSON {
            .object([
                "number": .integer(number),
                "task": .string(task),
                "state": .string(state),
                "reason": reason?.json,
                "status": status.map { .string($0) },
                "progress": progress?.json,
                "result": result.map { .string($0) },
                "parameters": .object(parameters),
                "uid": .integer(uid),
                "script": .string(script),
                "release": release.map { .string($0) },
                "priority": .integer(priority),
                "queuedAt": .integer(queuedAt),
                "startedAt": startedAt.map { .integer($0) },
                "endedAt": endedAt.map { .integer($0) },
                "dueAt": dueAt.map { .integer($0) },
                "trigger": trigger?.json,
                "attempts": .array(attempts.map(\.json)),
            ])
        }
    }
}
