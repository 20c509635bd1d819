public import Varlink

extension Wire {
    /// A limit of the supervisor is reached; nothing was done.
    public struct LimitReached: WireFailure {
        public static let name = "LimitReached"

        public var limit: String
        public var message: String
        public var remedy: String

        public init(limit: String, message: String, remedy: String) {
            self.limit = limit
            self.message = message
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            limit = try fields.required("limit")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object(["limit": .string(limit), "message": .string(message), "remedy": .string(remedy)])
        }
    }
}
