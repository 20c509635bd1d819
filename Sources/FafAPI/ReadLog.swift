public import Varlink

extension Wire {
    /// The output of a run, or of the runs of a task that the caller may see. With `more` and `follow`: goes on until the
    /// run is over, or without end.
    public enum ReadLog: WireMethod {
        public static let name = "ReadLog"
        public static let kind = MethodKind.vigil

        public struct Request: WireObject {
            public var run: Int64?
            public var task: String?
            /// Only what this attempt of the run has written; needs the journal.
            public var attempt: Int64?
            public var follow: Bool?
            /// Only the last so many lines; all if missing.
            public var lines: Int64?
            /// Nothing older than this; needs the journal.
            public var since: Int64?
            /// Goes on behind the place that an earlier reply told, whatever `lines` says.
            public var after: String?
            /// The reply has `entries`, else `lines`.
            public var details: Bool?

            public init(
                run: Int64? = nil, task: String? = nil, attempt: Int64? = nil, follow: Bool? = nil,
                lines: Int64? = nil, since: Int64? = nil, after: String? = nil, details: Bool? = nil
            ) {
                self.run = run
                self.task = task
                self.attempt = attempt
                self.follow = follow
                self.lines = lines
                self.since = since
                self.after = after
                self.details = details
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                try fields.allow("run", "task", "attempt", "follow", "lines", "since", "after", "details")
                run = try fields.optional("run")
                task = try fields.optional("task")
                attempt = try fields.optional("attempt")
                follow = try fields.optional("follow")
                lines = try fields.optional("lines")
                since = try fields.optional("since")
                after = try fields.optional("after")
                details = try fields.optional("details")
            }

            public var json: JSON {
                .object([
                    "run": run.map { .integer($0) }, "task": task.map { .string($0) },
                    "attempt": attempt.map { .integer($0) }, "follow": follow.map { .bool($0) },
                    "lines": lines.map { .integer($0) }, "since": since.map { .integer($0) },
                    "after": after.map { .string($0) }, "details": details.map { .bool($0) },
                ])
            }
        }

        public struct Reply: WireObject {
            /// Bytes that are not UTF-8 are replaced by U+FFFD.
            public var lines: [String]
            public var entries: [LogLine]
            /// Behind the last line so far, for `after`; missing if reading cannot go on there.
            public var place: String?

            public init(lines: [String] = [], entries: [LogLine] = [], place: String? = nil) {
                self.lines = lines
                self.entries = entries
                self.place = place
            }

            public init(json: JSON) throws(WireError) {
                let fields = try WireFields(json)
                lines = try fields.list("lines")
                entries = try fields.list("entries")
                place = try fields.optional("place")
            }

            public var json: JSON {
                .object([
                    "lines": .array(lines.map { .string($0) }), "entries": .array(entries.map(\.json)),
                    "place": place.map { .string($0) },
                ])
            }
        }
    }
}
