public import Varlink

extension Wire {
    /// The task's unit cannot be used.
    public struct BadUnit: WireFailure {
        public static let name = "BadUnit"

        public var task: String
        public var message: String
        public var remedy: String
        public var problems: [Problem]

        public init(task: String, message: String, remedy: String, problems: [Problem]) {
            self.task = task
            self.message = message
            self.remedy = remedy
            self.problems = problems
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            task = try fields.required("task")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
            problems = try fields.list("problems")
        }

        public var json: JSON {
            .object([
                "task": .string(task),
                "message": .string(message),
                "remedy": .string(remedy),
                "problems": .array(problems.map(\.json)),
            ])
        }
    }
}
