public import Varlink

extension Wire {
    /// One run, as it is now.
    public enum GetRun: WireMethod {
        public static let name = "GetRun"
        public static let kind = MethodKind.question

        public struct Request: WireObject {
            public var run: Int64

            public init(run: Int64) {
                self.run = run
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("run")
                run = try fields.required("run")
            }

            public var json: JSON {
                .object(["run": .integer(run)])
            }
        }

        public struct Reply: WireObject {
            public var run: Run

            public init(run: Run) {
                self.run = run
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                run = try fields.required("run")
            }

            public var json: JSON {
                .object(["run": run.json])
            }
        }
    }
}
