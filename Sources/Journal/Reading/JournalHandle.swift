internal import CSystemd
internal import Glibc
internal import LinuxSystem

/// An open journal (sd-journal(3)), with the place in it. For the thread alone that made it.
struct JournalHandle: ~Copyable {
    private let journal: UnsafeMutableRawPointer

    init() throws(SystemError) {
        var opened: UnsafeMutableRawPointer?
        let result = faf_journal_open(&opened)
        guard result >= 0, let opened else {
            throw SystemError(call: "sd_journal_open", path: nil, errno: result < 0 ? -result : ErrorNumber.protocol)
        }
        journal = opened
    }

    deinit { faf_journal_close(journal) }

    /// Alternatives of fields that must all match. The place stays, but the entry there can no longer be read.
    func match(_ alternatives: [[String]]) {
        faf_journal_flush_matches(journal)
        for alternative in alternatives {
            for match in alternative {
                let bytes = Array(match.utf8)
                // Fails for what is no field only.
                _ = faf_journal_match(journal, bytes, bytes.count)
            }
            _ = faf_journal_or(journal)
        }
    }

    func seekHead() throws(SystemError) { try check(faf_journal_seek_head(journal), "sd_journal_seek_head") }
    func seekTail() throws(SystemError) { try check(faf_journal_seek_tail(journal), "sd_journal_seek_tail") }
    func seek(realtime: UInt64) throws(SystemError) {
        try check(faf_journal_seek_realtime(journal, realtime), "sd_journal_seek_realtime_usec")
    }
    func seek(cursor: String) throws(SystemError) {
        try check(faf_journal_seek_cursor(journal, cursor), "sd_journal_seek_cursor")
    }

    /// False: there is none.
    func next() throws(SystemError) -> Bool { try check(faf_journal_next(journal), "sd_journal_next") > 0 }
    func previous() throws(SystemError) -> Bool {
        try check(faf_journal_back(journal, 1), "sd_journal_previous_skip") > 0
    }

    /// Waits until there may be more.
    func wait(microseconds: UInt64) throws(SystemError) {
        try check(faf_journal_wait(journal, microseconds), "sd_journal_wait")
    }

    // MARK: The present entry

    func cursor() throws(SystemError) -> String {
        var text: UnsafeMutablePointer<CChar>?
        try check(faf_journal_cursor(journal, &text), "sd_journal_get_cursor")
        defer { free(text) }
        return text.map { String(cString: $0) } ?? ""
    }

    func isAt(_ cursor: String) throws(SystemError) -> Bool {
        try check(faf_journal_test_cursor(journal, cursor), "sd_journal_test_cursor") > 0
    }

    /// µs since 1970.
    func realtime() throws(SystemError) -> UInt64 {
        var microseconds: UInt64 = 0
        try check(faf_journal_realtime(journal, &microseconds), "sd_journal_get_realtime_usec")
        return microseconds
    }

    func field(_ name: String) -> String? { bytes(of: name).map { String(decoding: $0, as: UTF8.self) } }

    func bytes(of name: String) -> [UInt8]? {
        var data: UnsafeRawPointer?
        var length = 0
        guard faf_journal_field(journal, name, &data, &length) >= 0, let data else { return nil }
        return Array(UnsafeRawBufferPointer(start: data, count: length).dropFirst(name.utf8.count + 1))
    }

    @discardableResult
    private func check(_ result: Int32, _ call: String) throws(SystemError) -> Int32 {
        if result < 0 { throw SystemError(call: call, path: nil, errno: -result) }
        return result
    }
}
