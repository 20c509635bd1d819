public import Varlink

extension Wire {
    /// The run is in a state in which this cannot be done.
    public struct WrongState: WireFailure {
        public static let name = "WrongState"

        public var run: Int64
        public var state: String
        public var message: String
        public var remedy: String

        public init(run: Int64, state: String, message: String, remedy: String) {
            self.run = run
            self.state = state
            self.message = message
            self.remedy = remedy
        }

        /// It waits for its next attempt, so `what` is not there.
        public static func waits(_ run: Int64, _ what: String) -> WrongState {
            WrongState(
                run: run, state: "queued", message: "run \(run) waits for its retry: \(what)",
                remedy: "faf cancel \(run) ends it, faf retry \(run) starts it now")
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            run = try fields.required("run")
            state = try fields.required("state")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object([
                "run": .integer(run), "state": .string(state), "message": .string(message), "remedy": .string(remedy),
            ])
        }
    }
}
