public import Varlink

extension Wire {
    /// The run could not be recorded, so it has not run.
    public struct StoreFailed: WireFailure {
        public static let name = "StoreFailed"

        public var message: String
        public var remedy: String

        public init(message: String, remedy: String) {
            self.message = message
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object(["message": .string(message), "remedy": .string(remedy)])
        }
    }
}
