public import Varlink

extension Wire {
    /// The output of a run. With `more` and `follow`: goes on until the run is over.
    public enum ReadLog: WireMethod {
        public static let name = "ReadLog"

        public struct Request: WireObject {
            public var run: Int64
            public var follow: Bool?
            /// Only the last so many lines; all if missing.
            public var lines: Int64?

            public init(run: Int64, follow: Bool? = nil, lines: Int64? = nil) {
                self.run = run
                self.follow = follow
                self.lines = lines
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("run", "follow", "lines")
                run = try fields.required("run")
                follow = try fields.optional("follow")
                lines = try fields.optional("lines")
            }

            public var json: JSON {
                .object(["run": .integer(run), "follow": follow.map { .bool($0) }, "lines": lines.map { .integer($0) }])
            }
        }

        public struct Reply: WireObject {
            /// Bytes that are not UTF-8 are replaced by U+FFFD.
            public var lines: [String]

            public init(lines: [String]) {
                self.lines = lines
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                lines = try fields.list("lines")
            }

            public var json: JSON {
                .object(["lines": .array(lines.map { .string($0) })])
            }
        }
    }
}
