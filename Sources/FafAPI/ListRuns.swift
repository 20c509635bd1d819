public import Varlink

extension Wire {
    /// Runs that the caller may see, newest first: all that are not over, and the latest `limit` that are. With `more`,
    /// in several replies, each with some runs.
    public enum ListRuns: WireMethod {
        public static let name = "ListRuns"
        public static let kind = MethodKind.question

        public struct Request: WireObject {
            /// Only runs of this task.
            public var task: String?
            /// How many of those that are over; 20 if missing, -1 for all.
            public var limit: Int64?

            public init(task: String? = nil, limit: Int64? = nil) {
                self.task = task
                self.limit = limit
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("task", "limit")
                task = try fields.optional("task")
                limit = try fields.optional("limit")
            }

            public var json: JSON {
                .object(["task": task.map { .string($0) }, "limit": limit.map { .integer($0) }])
            }
        }

        public struct Reply: WireObject {
            public var runs: [Run]

            public init(runs: [Run]) {
                self.runs = runs
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                runs = try fields.list("runs")
            }

            public var json: JSON {
                .object(["runs": .array(runs.map(\.json))])
            }
        }
    }
}
