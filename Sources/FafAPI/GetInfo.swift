public import Varlink

extension Wire {
    /// The supervisor itself.
    public enum GetInfo: WireMethod {
        public static let name = "GetInfo"
        public static let kind = MethodKind.question

        public struct Request: WireObject {
            public init() {}

            public init(json: JSON) throws(WireError) {
                try WireFields(json).allow()
            }

            public var json: JSON {
                .object(JSONObject())
            }
        }

        public struct Reply: WireObject {
            public var version: String
            public var pid: Int64
            /// system or user.
            public var mode: String
            /// Number of runs by state, for runs that are not over.
            public var active: [String: Int64]
            /// Protections that are missing here.
            public var missing: [Missing]

            public init(version: String, pid: Int64, mode: String, active: [String: Int64], missing: [Missing]) {
                self.version = version
                self.pid = pid
                self.mode = mode
                self.active = active
                self.missing = missing
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                version = try fields.required("version")
                pid = try fields.required("pid")
                mode = try fields.required("mode")
                active = try fields.counts("active")
                missing = try fields.list("missing")
            }

            public var json: JSON {
                .object([
                    "version": .string(version),
                    "pid": .integer(pid),
                    "mode": .string(mode),
                    "active": .counts(active),
                    "missing": .array(missing.map(\.json)),
                ])
            }
        }
    }
}
