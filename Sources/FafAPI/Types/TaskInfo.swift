public import Varlink

extension Wire {
    /// A task, as its unit declares it.
    public struct TaskInfo: WireObject {
        /// With its instance, without .task; a template ends in @.
        public var name: String
        public var description: String
        /// loaded, template, masked, bad-setting.
        public var loadState: String
        /// Path of the unit file.
        public var path: String
        /// What is wrong with the unit, if it is not usable.
        public var problems: [Problem]
        /// The caller may fire it.
        public var mayFire: Bool
        /// Number of its runs that are not over.
        public var activeRuns: Int64

        public init(
            name: String, description: String, loadState: String, path: String, problems: [Problem], mayFire: Bool,
            activeRuns: Int64
        ) {
            self.name = name
            self.description = description
            self.loadState = loadState
            self.path = path
            self.problems = problems
            self.mayFire = mayFire
            self.activeRuns = activeRuns
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            name = try fields.required("name")
            description = try fields.required("description")
            loadState = try fields.required("loadState")
            path = try fields.required("path")
            problems = try fields.list("problems")
            mayFire = try fields.required("mayFire")
            activeRuns = try fields.required("activeRuns")
        }

        public var json: JSON {
            .object([
                "name": .string(name),
                "description": .string(description),
                "loadState": .string(loadState),
                "path": .string(path),
                "problems": .array(problems.map(\.json)),
                "mayFire": .bool(mayFire),
                "activeRuns": .integer(activeRuns),
            ])
        }
    }
}
