public import Varlink

extension Wire {
    /// A condition of the unit that was met.
    public struct Condition: WireObject {
        /// MemoryAbove, CPUAbove or PressureAbove.
        public var setting: String
        /// What the samples must not exceed: bytes; for CPUAbove ten-thousandths of one CPU's time; for PressureAbove of
        /// all time.
        public var above: Int64
        /// The last ones, oldest first, in the unit of above.
        public var samples: [Int64]
        /// What was done: restart, kill, notify, freeze.
        public var action: String
        /// When it was met.
        public var at: Int64
        /// One sentence for people; * marks the samples that are too many.
        public var text: String

        public init(setting: String, above: Int64, samples: [Int64], action: String, at: Int64, text: String) {
            self.setting = setting
            self.above = above
            self.samples = samples
            self.action = action
            self.at = at
            self.text = text
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            setting = try fields.required("setting")
            above = try fields.required("above")
            samples = try fields.list("samples")
            action = try fields.required("action")
            at = try fields.required("at")
            text = try fields.required("text")
        }

        public var json: JSON {
            .object([
                "setting": .string(setting),
                "above": .integer(above),
                "samples": .array(samples.map { .integer($0) }),
                "action": .string(action),
                "at": .integer(at),
                "text": .string(text),
            ])
        }
    }
}
