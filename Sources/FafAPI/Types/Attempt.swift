public import Varlink

extension Wire {
    /// One launch of a run's script.
    public struct Attempt: WireObject {
        public var number: Int64
        /// 32 hexadecimal digits; $INVOCATION_ID of the script.
        public var invocationId: String
        /// The parent of the script; missing when the attempt is over.
        public var shimPid: Int64?
        public var mainPid: Int64?
        /// starting, running, stopping, succeeded, failed, killed, timed-out, lost.
        public var state: String
        /// Exit code of the main process, if it exited by itself.
        public var exitStatus: Int64?
        /// Name of the signal that ended the main process (SIGTERM).
        public var signal: String?
        public var reason: Reason?
        public var startedAt: Int64?
        public var endedAt: Int64?
        public var usage: Usage?
        /// Conditions that were met, the latest of each setting; missing: none.
        public var conditions: [Condition]?
        public var stop: Stop?
        public var frozen: Frozen?
        /// When TimeoutStartSec= or RuntimeMaxSec= stops it.
        public var limitAt: Int64?
        /// Silent for longer than SilenceSec=, and left alone: since when.
        public var silentSince: Int64?
        /// The last lines that it has written; only GetRun tells them, and of an attempt that is over.
        public var output: Output?

        public init(
            number: Int64, invocationId: String, shimPid: Int64? = nil, mainPid: Int64? = nil, state: String,
            exitStatus: Int64? = nil, signal: String? = nil, reason: Reason? = nil, startedAt: Int64? = nil,
            endedAt: Int64? = nil, usage: Usage? = nil, stop: Stop? = nil, frozen: Frozen? = nil,
            limitAt: Int64? = nil, silentSince: Int64? = nil
        ) {
            self.number = number
            self.invocationId = invocationId
            self.shimPid = shimPid
            self.mainPid = mainPid
            self.state = state
            self.exitStatus = exitStatus
            self.signal = signal
            self.reason = reason
            self.startedAt = startedAt
            self.endedAt = endedAt
            self.usage = usage
            self.stop = stop
            self.frozen = frozen
            self.limitAt = limitAt
            self.silentSince = silentSince
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            number = try fields.required("number")
            invocationId = try fields.required("invocationId")
            shimPid = try fields.optional("shimPid")
            mainPid = try fields.optional("mainPid")
            state = try fields.required("state")
            exitStatus = try fields.optional("exitStatus")
            signal = try fields.optional("signal")
            reason = try fields.optional("reason")
            startedAt = try fields.optional("startedAt")
            endedAt = try fields.optional("endedAt")
            usage = try fields.optional("usage")
            conditions = try fields.optionalList("conditions")
            stop = try fields.optional("stop")
            frozen = try fields.optional("frozen")
            limitAt = try fields.optional("limitAt")
            silentSince = try fields.optional("silentSince")
            output = try fields.optional("output")
        }

        public var json: JSON {
            .object([
                "number": .integer(number),
                "invocationId": .string(invocationId),
                "shimPid": shimPid.map { .integer($0) },
                "mainPid": mainPid.map { .integer($0) },
                "state": .string(state),
                "exitStatus": exitStatus.map { .integer($0) },
                "signal": signal.map { .string($0) },
                "reason": reason?.json,
                "startedAt": startedAt.map { .integer($0) },
                "endedAt": endedAt.map { .integer($0) },
                "usage": usage?.json,
                "conditions": conditions.map { .array($0.map(\.json)) },
                "stop": stop?.json,
                "frozen": frozen?.json,
                "limitAt": limitAt.map { .integer($0) },
                "silentSince": silentSince.map { .integer($0) },
                "output": output?.json,
            ])
        }
    }
}
