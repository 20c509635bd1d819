public import Varlink

extension Wire {
    /// Ends a run that waits for its retry. Answers when that is on disk. Rights as for Kill.
    public enum Cancel: WireMethod {
        public static let name = "Cancel"

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
