public import Varlink

extension Wire {
    /// Answers when all of the runs are over. With `more`: one reply for each run as it ends, in the order of their
    /// ends.
    public enum Wait: WireMethod {
        public static let name = "Wait"
        public static let kind = MethodKind.vigil

        public struct Request: WireObject {
            public var runs: [Int64]

            public init(runs: [Int64]) {
                self.runs = runs
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("runs")
                runs = try fields.list("runs")
            }

            public var json: JSON {
                .object(["runs": .array(runs.map { .integer($0) })])
            }
        }

        public struct Reply: WireObject {
            public var runs: [Run]

            public init(runs: [Run]) {
                self.runs = runs
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                runs = try fields.list("runs")
            }

            public var json: JSON {
                .object(["runs": .array(runs.map(\.json))])
            }
        }
    }
}
