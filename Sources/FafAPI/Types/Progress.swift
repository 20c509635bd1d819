public import Varlink

extension Wire {
    /// What the task told with X_FAF_PROGRESS=done/total.
    public struct Progress: WireObject {
        public var done: Int64
        public var total: Int64

        public init(done: Int64, total: Int64) {
            self.done = done
            self.total = total
        }

        public init(json: JSON) throws(WireError) {
            let fields = try WireFields(json)
            done = try fields.required("done")
            total = try fields.required("total")
        }

        public var json: JSON {
            .object(["done": .integer(done), "total": .integer(total)])
        }
    }
}
