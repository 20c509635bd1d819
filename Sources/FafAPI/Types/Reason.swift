public import Varlink

extension Wire {
    /// Why a run or an attempt ended.
    public struct Reason: WireObject {
        /// One word, stable: success, exit-code, signal, core-dump, timeout, watchdog, oom-kill, protocol, resources,
        /// exec, cancelled, memory-limit, cpu-limit, memory-pressure, silence, lost, reboot, shutdown.
        public var kind: String
        /// One sentence for people.
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
