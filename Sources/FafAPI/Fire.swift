public import Varlink

extension Wire {
    /// Fires a task. Acknowledged means that the run is on disk and will run exactly once per attempt.
    public enum Fire: WireMethod {
        public static let name = "Fire"

        public struct Request: WireObject {
            /// NAME or NAME@INSTANCE, without .task.
            public var task: String
            /// Strings as they are; numbers, booleans, arrays and objects as JSON text in the script's argument.
            public var parameters: JSONObject?

            public init(task: String, parameters: JSONObject? = nil) {
                self.task = task
                self.parameters = parameters
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("task", "parameters")
                task = try fields.required("task")
                parameters = try fields.optional("parameters")
            }

            public var json: JSON {
                .object(["task": .string(task), "parameters": parameters.map { .object($0) }])
            }
        }

        public typealias Reply = RunReply
    }
}
