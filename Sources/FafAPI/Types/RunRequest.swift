public import Varlink

extension Wire {
    /// Of each method that is about one run and answers with it.
    public struct RunRequest: WireObject {
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

    /// The run as it is now.
    public struct RunReply: WireObject {
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
