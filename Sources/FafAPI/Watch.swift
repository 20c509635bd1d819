public import Varlink

extension Wire {
    /// Needs `more`: the run as it is now, then at each change of state, status or progress, until it is over (with
    /// `run`), or all runs of a task, or all runs that the caller may see, without end.
    public enum Watch: WireMethod {
        public static let name = "Watch"
        public static let kind = MethodKind.vigil

        public struct Request: WireObject {
            public var run: Int64?
            public var task: String?

            public init(run: Int64? = nil, task: String? = nil) {
                self.run = run
                self.task = task
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("run", "task")
                run = try fields.optional("run")
                task = try fields.optional("task")
            }

            public var json: JSON {
                .object(["run": run.map { .integer($0) }, "task": task.map { .string($0) }])
            }
        }

        public typealias Reply = RunReply
    }
}
