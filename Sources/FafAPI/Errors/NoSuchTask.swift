public import Varlink

extension Wire {
    /// There is no such task.
    public struct NoSuchTask: WireFailure {
        public static let name = "NoSuchTask"

        public var task: String
        public var message: String
        public var remedy: String

        public init(task: String, message: String, remedy: String) {
            self.task = task
            self.message = message
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            task = try fields.required("task")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object(["task": .string(task), "message": .string(message), "remedy": .string(remedy)])
        }
    }
}
