extension Wire {
    /// Lets a frozen run go on.
    public enum Thaw: WireMethod {
        public static let name = "Thaw"

        public typealias Request = RunRequest
        public typealias Reply = RunReply
    }
}
