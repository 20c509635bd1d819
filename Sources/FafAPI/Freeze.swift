public import Varlink

extension Wire {
    /// Freezes all processes of a run (cgroup.freeze). Answers when they stand still. Limits of time go on, but
    /// WatchdogSec= and SilenceSec= rest until it is thawed. A stop thaws it. Rights as for Kill.
    public enum Freeze: WireMethod {
        public static let name = "Freeze"

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
