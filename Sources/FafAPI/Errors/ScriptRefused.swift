public import Varlink

extension Wire {
    /// The script may not be run; `path` is the file or directory at fault.
    public struct ScriptRefused: WireFailure {
        public static let name = "ScriptRefused"

        public var path: String
        public var message: String
        public var remedy: String

        public init(path: String, message: String, remedy: String) {
            self.path = path
            self.message = message
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            path = try fields.required("path")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object(["path": .string(path), "message": .string(message), "remedy": .string(remedy)])
        }
    }
}
