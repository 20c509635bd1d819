extension Wire {
    /// Freezes all processes of a run (cgroup.freeze). Answers when they stand still. Limits of time go on, but
    /// WatchdogSec= and SilenceSec= rest until it is thawed. A stop thaws it. Rights as for Kill.
    public enum Freeze: WireMethod {
        public static let name = "Freeze"

        public typealias Request = RunRequest
        public typealias Reply = RunReply
    }
}
