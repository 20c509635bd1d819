extension Wire {
    /// One run, as it is now.
    public enum GetRun: WireMethod {
        public static let name = "GetRun"
        public static let kind = MethodKind.question

        public typealias Request = RunRequest
        public typealias Reply = RunReply
    }
}
