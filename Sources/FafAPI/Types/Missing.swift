public import Varlink

extension Wire {
    /// A protection that this machine or this mode does not give.
    public struct Missing: WireObject {
        /// Stable word: cgroup, memory-controller, oom-protection, process-io, private-records, linger,
        /// other-users.
        public var kind: String
        /// What does not work because of it.
        public var text: String

        public init(kind: String, text: String) {
            self.kind = kind
            self.text = text
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            kind = try fields.required("kind")
            text = try fields.required("text")
        }

        public var json: JSON {
            .object(["kind": .string(kind), "text": .string(text)])
        }
    }
}
