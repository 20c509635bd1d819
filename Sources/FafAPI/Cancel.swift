extension Wire {
    /// Ends a run that waits for its retry. Answers when that is on disk. Rights as for Kill.
    public enum Cancel: WireMethod {
        public static let name = "Cancel"

        public typealias Request = RunRequest
        public typealias Reply = RunReply
    }
}
