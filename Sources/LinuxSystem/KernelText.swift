/// Files of the kernel that hold one number behind a word in each line: cgroup files, parts of procfs.
struct KernelText {
    let bytes: [UInt8]

    /// `nil`: there is no such file.
    init?(path: String) throws(SystemError) {
        // Such a file gives all that it has in one read, and thousands are read for as many attempts.
        guard let bytes = try Files.read(path, from: 0, limit: 1 << 13) else { return nil }
        self.bytes = bytes
    }

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The number behind `key` at the start of a line; blanks between them do not count.
    subscript(_ key: StaticString) -> UInt64? {
        key.withUTF8Buffer { key in
            bytes.withUnsafeBufferPointer { text in
                var start = 0
                while start < text.count {
                    var at = start
                    while at < text.count, at - start < key.count, text[at] == key[at - start] { at += 1 }
                    if at - start == key.count, at < text.count, isBlank(text[at]) { return number(text, at) }
                    while at < text.count, text[at] != UInt8(ascii: "\n") { at += 1 }
                    start = at + 1
                }
                return nil
            }
        }
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private func number(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> UInt64? {
        var at = start
        while at < text.count, isBlank(text[at]) { at += 1 }
        var value: UInt64?
        while at < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[at]) {
            let (product, first) = (value ?? 0).multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(UInt64(text[at] - UInt8(ascii: "0")))
            if first || second { return nil }
            value = sum
            at += 1
        }
        return value
    }
}
