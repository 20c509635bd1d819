public import Varlink

extension Wire {
    /// The run could not be launched: the step that failed and its errno.
    public struct LaunchFailed: WireFailure {
        public static let name = "LaunchFailed"

        public var step: String
        public var errno: Int64
        public var message: String
        public var remedy: String

        public init(step: String, errno: Int64, message: String, remedy: String) {
            self.step = step
            self.errno = errno
            self.message = message
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            step = try fields.required("step")
            errno = try fields.required("errno")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object([
                "step": .string(step),
                "errno": .integer(errno),
                "message": .string(message),
                "remedy": .string(remedy),
            ])
        }
    }
}
