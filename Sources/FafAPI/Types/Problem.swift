public import Varlink

extension Wire {
    /// Something wrong in a unit file.
    public struct Problem: WireObject {
        /// error or warning.
        public var severity: String
        public var path: String
        /// From 1; 0 if it concerns the whole file.
        public var line: Int64
        /// From 1, in characters; 0 if it concerns the whole line.
        public var column: Int64
        public var section: String
        public var key: String
        public var message: String
        public var remedy: String

        public init(
            severity: String, path: String, line: Int64, column: Int64, section: String, key: String, message: String,
            remedy: String
        ) {
            self.severity = severity
            self.path = path
            self.line = line
            self.column = column
            self.section = section
            self.key = key
            self.message = message
            self.remedy = remedy
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            severity = try fields.required("severity")
            path = try fields.required("path")
            line = try fields.required("line")
            column = try fields.required("column")
            section = try fields.required("section")
            key = try fields.required("key")
            message = try fields.required("message")
            remedy = try fields.required("remedy")
        }

        public var json: JSON {
            .object([
                "severity": .string(severity),
                "path": .string(path),
                "line": .integer(line),
                "column": .integer(column),
                "section": .string(section),
                "key": .string(key),
                "message": .string(message),
                "remedy": .string(remedy),
            ])
        }
    }
}
