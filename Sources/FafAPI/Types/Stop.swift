public import Varlink

extension Wire {
    /// The stop of an attempt.
    public struct Stop: WireObject {
        /// kill, shutdown, restart, start (TimeoutStartSec=), runtime, watchdog, silence, oom, memory, cpu, pressure,
        /// stopping (STOPPING=1).
        public var cause: String
        /// What was sent; missing if nothing was (STOPPING=1, KillMode=none).
        public var signal: String?
        /// Who asked for it; missing if nobody did.
        public var uid: Int64?
        /// The setting that asks for it, as the run has it: `RuntimeMaxSec=1h`.
        public var setting: String?
        /// The setting that says how long the final signal waits; missing if none follows.
        public var grace: String?
        public var since: Int64
        /// The final signal and when it goes out; missing if it never does, or SIGKILL went out.
        public var finalSignal: String?
        public var finalAt: Int64?
        /// A final signal went out.
        public var killed: Bool

        public init(
            cause: String, signal: String? = nil, uid: Int64? = nil, setting: String? = nil, grace: String? = nil,
            since: Int64, finalSignal: String? = nil, finalAt: Int64? = nil, killed: Bool = false
        ) {
            self.cause = cause
            self.signal = signal
            self.uid = uid
            self.setting = setting
            self.grace = grace
            self.since = since
            self.finalSignal = finalSignal
            self.finalAt = finalAt
            self.killed = killed
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            cause = try fields.required("cause")
            signal = try fields.optional("signal")
            uid = try fields.optional("uid")
            setting = try fields.optional("setting")
            grace = try fields.optional("grace")
            since = try fields.required("since")
            finalSignal = try fields.optional("finalSignal")
            finalAt = try fields.optional("finalAt")
            killed = try fields.required("killed")
        }

        public var json: JSON {
            .object([
                "cause": .string(cause),
                "signal": signal.map { .string($0) },
                "uid": uid.map { .integer($0) },
                "setting": setting.map { .string($0) },
                "grace": grace.map { .string($0) },
                "since": .integer(since),
                "finalSignal": finalSignal.map { .string($0) },
                "finalAt": finalAt.map { .integer($0) },
                "killed": .bool(killed),
            ])
        }
    }
}
