public import Varlink

extension Wire {
    /// A parameter of the task is refused and nothing ran, or one of the call does not go with the rest.
    public struct BadParameter: WireFailure {
        public static let name = "BadParameter"

        public var parameter: String
        public var message: String
        public var remedy: String

        public init(parameter: String, message: String, remedy: String) {
            self.parameter = parameter
            self.message = message
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            parameter = try fields.required("parameter")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object(["parameter": .string(parameter), "message": .string(message), "remedy": .string(remedy)])
        }
    }
}
