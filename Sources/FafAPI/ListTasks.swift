public import Varlink

extension Wire {
    /// The tasks that there are units for, by name.
    public enum ListTasks: WireMethod {
        public static let name = "ListTasks"
        public static let kind = MethodKind.question

        public struct Request: WireObject {
            public init() {}

            public init(json: JSON) throws(WireError) {
                try WireFields(json).allow()
            }

            public var json: JSON {
                .object(JSONObject())
            }
        }

        public struct Reply: WireObject {
            public var tasks: [TaskInfo]

            public init(tasks: [TaskInfo]) {
                self.tasks = tasks
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                tasks = try fields.list("tasks")
            }

            public var json: JSON {
                .object(["tasks": .array(tasks.map(\.json))])
            }
        }
    }
}
