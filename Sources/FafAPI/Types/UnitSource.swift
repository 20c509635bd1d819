public import Varlink

extension Wire {
    /// A file that a task is made of.
    public struct UnitSource: WireObject {
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            path = try fields.required("path")
            text = try fields.required("text")
        }

        public var json: JSON {
            .object(["path": .string(path), "text": .string(text)])
        }
    }
}
