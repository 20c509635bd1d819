extension Wire {
    /// Gives a run another attempt now: one that waits for its retry, or one that is over. Its retries are counted anew.
    /// Answers when that is on disk and the attempt has its go. Rights as for Kill; to try again what is over, whoever calls
    /// is root, or allowed to fire the task now, and its unit does what it did.
    public enum Retry: WireMethod {
        public static let name = "Retry"

        public typealias Request = RunRequest
        public typealias Reply = RunReply
    }
}
