public import Varlink

extension Wire {
    /// Why a run was fired that follows on another one.
    public struct Trigger: WireObject {
        /// OnSuccess, OnFailure, OnAttemptFailure.
        public var setting: String
        /// The run that has ended, or whose attempt has.
        public var run: Int64
        /// Its latest attempt; `nil` if it had none.
        public var attempt: Int64?

        public init(setting: String, run: Int64, attempt: Int64? = nil) {
            self.setting = setting
            self.run = run
            self.attempt = attempt
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            setting = try fields.required("setting")
            run = try fields.required("run")
            attempt = try fields.optional("attempt")
        }

        public var json: JSON {
            .object([
                "setting": .string(setting), "run": .integer(run), "attempt": attempt.map { .integer($0) },
            ])
        }
    }
}
