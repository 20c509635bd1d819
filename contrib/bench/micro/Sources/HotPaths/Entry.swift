import Journal

extension HotPath {
    /// An entry of a run that begins, with its fields, as it is sent to the journal.
    static func writeEntry() -> HotPath {
        let fields = [
            ("MESSAGE", "transcode #17 is running"), ("PRIORITY", "6"), ("SYSLOG_IDENTIFIER", "fafd"),
            ("MESSAGE_ID", "0f3a1c5f7d2b4e8a9c6d5e4f3a2b1c0d"), ("FAF_TASK", "transcode"), ("FAF_RUN", "17"),
            ("FAF_ATTEMPT", "1"), ("FAF_STATE", "running"), ("FAF_UID", "2001"),
            ("FAF_INVOCATION", "00000000000000070000000000000007"),
        ]
        return HotPath(name: "write a journal entry", times: 2000) {
            var entry = JournalEntry()
            for (name, value) in fields { entry.add(name, value) }
            return entry.bytes.count
        }
    }
}
