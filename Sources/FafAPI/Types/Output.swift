public import Varlink

extension Wire {
    /// The last lines that an attempt has written: at most ten, and at most 4 KiB of them.
    public struct Output: WireObject {
        /// Bytes that are not UTF-8 are replaced by U+FFFD.
        public var lines: [String]
        /// The first line lacks its beginning.
        public var cut: Bool

        public init(lines: [String], cut: Bool = false) {
            self.lines = lines
            self.cut = cut
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            lines = try fields.list("lines")
            cut = try fields.required("cut")
        }

        public var json: JSON {
            .object(["lines": .array(lines.map { .string($0) }), "cut": .bool(cut)])
        }
    }
}
