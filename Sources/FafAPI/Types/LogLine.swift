public import Varlink

extension Wire {
    /// A line that a run has written. Lines of a file have no more than a text and a run.
    public struct LogLine: WireObject {
        /// Bytes that are not UTF-8 are replaced by U+FFFD.
        public var text: String
        public var run: Int64
        public var attempt: Int64?
        /// When journald took it.
        public var time: Int64?
        /// The process that wrote it.
        public var pid: Int64?
        /// 0 (emerg) to 7 (debug), as syslog(3) has them.
        public var priority: Int64?
        /// The unit's `SyslogIdentifier=`.
        public var identifier: String?

        public init(
            text: String, run: Int64, attempt: Int64? = nil, time: Int64? = nil, pid: Int64? = nil,
            priority: Int64? = nil, identifier: String? = nil
        ) {
            self.text = text
            self.run = run
            self.attempt = attempt
            self.time = time
            self.pid = pid
            self.priority = priority
            self.identifier = identifier
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            text = try fields.required("text")
            run = try fields.required("run")
            attempt = try fields.optional("attempt")
            time = try fields.optional("time")
            pid = try fields.optional("pid")
            priority = try fields.optional("priority")
            identifier = try fields.optional("identifier")
        }

        public var json: JSON {
            .object([
                "text": .string(text), "run": .integer(run), "attempt": attempt.map { .integer($0) },
                "time": time.map { .integer($0) }, "pid": pid.map { .integer($0) },
                "priority": priority.map { .integer($0) }, "identifier": identifier.map { .string($0) },
            ])
        }
    }
}
