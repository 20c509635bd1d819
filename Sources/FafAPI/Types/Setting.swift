public import Varlink

extension Wire {
    /// The effective value of a setting.
    public struct Setting: WireObject {
        public var section: String
        public var key: String
        public var value: String
        /// PATH:LINE, or default.
        public var source: String

        public init(section: String, key: String, value: String, source: String) {
            self.section = section
            self.key = key
            self.value = value
            self.source = source
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            section = try fields.required("section")
            key = try fields.required("key")
            value = try fields.required("value")
            source = try fields.required("source")
        }

        public var json: JSON {
            .object([
                "section": .string(section),
                "key": .string(key),
                "value": .string(value),
                "source": .string(source),
            ])
        }
    }
}
