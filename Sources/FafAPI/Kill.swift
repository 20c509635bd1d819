public import Varlink

extension Wire {
    /// Stops runs. Without `signal`: the unit's stop sequence (KillSignal=, SIGCONT, TimeoutStopSec=, SIGKILL). With
    /// `signal`: sends just that signal. One of `run` and `task` is needed; `task` means all of its runs that are not
    /// over. Answers when the shims have begun, which takes a moment, not when the runs are over. A run that waits for its
    /// retry is cancelled; one that was asked to end is not tried again.
    public enum Kill: WireMethod {
        public static let name = "Kill"

        public struct Request: WireObject {
            public var run: Int64?
            public var task: String?
            /// SIGHUP, HUP or 1.
            public var signal: String?
            /// main or all (the default); only with `signal`.
            public var whom: String?

            public init(run: Int64? = nil, task: String? = nil, signal: String? = nil, whom: String? = nil) {
                self.run = run
                self.task = task
                self.signal = signal
                self.whom = whom
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("run", "task", "signal", "whom")
                run = try fields.optional("run")
                task = try fields.optional("task")
                signal = try fields.optional("signal")
                whom = try fields.optional("whom")
            }

            public var json: JSON {
                .object([
                    "run": run.map { .integer($0) },
                    "task": task.map { .string($0) },
                    "signal": signal.map { .string($0) },
                    "whom": whom.map { .string($0) },
                ])
            }
        }

        public struct Reply: WireObject {
            /// The runs that the request went to.
            public var runs: [Int64]

            public init(runs: [Int64]) {
                self.runs = runs
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                runs = try fields.list("runs")
            }

            public var json: JSON {
                .object(["runs": .array(runs.map { .integer($0) })])
            }
        }
    }
}
