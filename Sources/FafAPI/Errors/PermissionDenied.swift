public import Varlink

extension Wire {
    /// The caller may not do this; `setting` names what would allow it (AllowUsers=, ...).
    public struct PermissionDenied: WireFailure {
        public static let name = "PermissionDenied"

        public var message: String
        public var remedy: String
        public var setting: String

        public init(message: String, remedy: String, setting: String) {
            self.message = message
            self.remedy = remedy
            self.setting = setting
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            message = try fields.required("message")
            remedy = try fields.required("remedy")
            setting = try fields.required("setting")
        }

        public var json: JSON {
            .object(["message": .string(message), "remedy": .string(remedy), "setting": .string(setting)])
        }
    }
}
