public import Varlink

extension Wire {
    /// A protection that this machine or this mode does not give.
    public struct Missing: WireObject {
        /// Stable word: cgroup; memory-controller and others like it; oom-protection, process-io, sandbox,
        /// private-records, linger, other-users.
        public var kind: String
        /// What does not work because of it.
        public var text: String
        /// What would give it; missing if this version knows nothing.
        public var remedy: String?

        public init(kind: String, text: String, remedy: String? = nil) {
            self.kind = kind
            self.text = text
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            kind = try fields.required("kind")
            text = try fields.required("text")
            remedy = try fields.optional("remedy")
        }

        public var json: JSON {
            .object(["kind": .string(kind), "text": .string(text), "remedy": remedy.map { .string($0) }])
        }
    }
}
