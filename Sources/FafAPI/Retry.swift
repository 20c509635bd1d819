public import Varlink

extension Wire {
    /// Gives a run another attempt now: one that waits for its retry, or one that is over. Its retries are counted anew.
    /// Answers when that is on disk and the attempt has its go. Rights as for Kill; to try again what is over, whoever calls
    /// is root, or allowed to fire the task now, and its unit does what it did.
    public enum Retry: WireMethod {
        public static let name = "Retry"

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
