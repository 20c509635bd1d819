public import Varlink

extension Wire {
    /// Reads the unit files again. Runs that go on keep what they were fired with. Root only.
    public enum Reload: WireMethod {
        public static let name = "Reload"

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
            public var tasks: Int64
            public var problems: [Problem]

            public init(tasks: Int64, problems: [Problem]) {
                self.tasks = tasks
                self.problems = problems
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                tasks = try fields.required("tasks")
                problems = try fields.list("problems")
            }

            public var json: JSON {
                .object(["tasks": .integer(tasks), "problems": .array(problems.map(\.json))])
            }
        }
    }
}
