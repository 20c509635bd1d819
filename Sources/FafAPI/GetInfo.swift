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
            /// Where units are looked for, the first wins.
            public var units: [String]?
            /// The cgroup below which attempts have theirs; missing: they have none.
            public var tasks: String?

            public init(
                version: String, pid: Int64, mode: String, active: [String: Int64], missing: [Missing],
                units: [String]? = nil, tasks: String? = nil
            ) {
                self.version = version
                self.pid = pid
                self.mode = mode
                self.active = active
                self.missing = missing
                self.units = units
                self.tasks = tasks
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                version = try fields.required("version")
                pid = try fields.required("pid")
                mode = try fields.required("mode")
                active = try fields.counts("active")
                missing = try fields.list("missing")
                units = try fields.optionalList("units")
                tasks = try fields.optional("tasks")
            }

            public var json: JSON {
                .object([
                    "version": .string(version),
                    "pid": .integer(pid),
                    "mode": .string(mode),
                    "active": .counts(active),
                    "missing": .array(missing.map(\.json)),
                    "units": units.map { .array($0.map { .string($0) }) },
                    "tasks": tasks.map { .string($0) },
                ])
            }
        }
    }
}
