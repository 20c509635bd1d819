public import Varlink

extension Wire {
    /// The supervisor is not able to do this now (it is going down, or the tasks' unit is stopped).
    public struct Unavailable: WireFailure {
        public static let name = "Unavailable"

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
