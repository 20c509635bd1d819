public import Varlink

extension Wire {
    /// One task with its files and the effective value of each setting.
    public enum GetTask: WireMethod {
        public static let name = "GetTask"
        public static let kind = MethodKind.question

        public struct Request: WireObject {
            public var task: String

            public init(task: String) {
                self.task = task
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("task")
                task = try fields.required("task")
            }

            public var json: JSON {
                .object(["task": .string(task)])
            }
        }

        public struct Reply: WireObject {
            public var task: TaskInfo
            public var sources: [UnitSource]
            public var settings: [Setting]

            public init(task: TaskInfo, sources: [UnitSource], settings: [Setting]) {
                self.task = task
                self.sources = sources
                self.settings = settings
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                task = try fields.required("task")
                sources = try fields.list("sources")
                settings = try fields.list("settings")
            }

            public var json: JSON {
                .object([
                    "task": task.json,
                    "sources": .array(sources.map(\.json)),
                    "settings": .array(settings.map(\.json)),
                ])
            }
        }
    }
}
