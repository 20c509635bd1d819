public import Varlink

extension Wire {
    /// The run is over already, or stopping, so that this comes too late.
    public struct NotActive: WireFailure {
        public static let name = "NotActive"

        public var run: Int64
        public var message: String
        public var remedy: String

        public init(run: Int64, message: String, remedy: String) {
            self.run = run
            self.message = message
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            run = try fields.required("run")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object(["run": .integer(run), "message": .string(message), "remedy": .string(remedy)])
        }
    }
}
