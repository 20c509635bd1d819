public import Varlink

extension Wire {
    /// All processes of an attempt stand still.
    public struct Frozen: WireObject {
        public var since: Int64
        /// Who asked for it; missing if it was not asked of faf.
        public var uid: Int64?

        public init(since: Int64, uid: Int64? = nil) {
            self.since = since
            self.uid = uid
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            since = try fields.required("since")
            uid = try fields.optional("uid")
        }

        public var json: JSON {
            .object(["since": .integer(since), "uid": uid.map { .integer($0) }])
        }
    }
}
