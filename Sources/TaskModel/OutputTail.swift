/// The last lines that an attempt has written, as they are kept with it.
public struct OutputTail: Sendable, Hashable, Codable {
    public static let lineLimit = 10
    /// Of UTF-8, with a newline for each line.
    public static let byteLimit = 4096

    public let lines: [String]
    /// The first line lacks its beginning.
    public let isCut: Bool

    /// The last of these lines, as many as are kept; `nil`: there are none.
    /// - Parameter isCut: The first of `lines` lacks its beginning already.
    public init?(_ lines: [String], isCut: Bool = false) {
        var kept: [String] = []
        var room = Self.byteLimit
        var cut = isCut && lines.count <= Self.lineLimit
        for line in lines.suffix(Self.lineLimit).reversed() {
            if line.utf8.count + 1 > room {
                let end = line.end(within: room - 1)
                if !end.isEmpty || kept.isEmpty {
                    kept.append(end)
                    cut = true
                } else {
                    cut = false
                }
                break
            }
            kept.append(line)
            room -= line.utf8.count + 1
        }
        if kept.isEmpty { return nil }
        self.lines = kept.reversed()
        self.isCut = cut
    }
}

extension String {
    /// The end of it that has no more bytes than these, without half a character.
    fileprivate func end(within count: Int) -> String {
        var start = utf8.index(endIndex, offsetBy: -max(count, 0), limitedBy: startIndex) ?? startIndex
        while start < endIndex, utf8[start] & 0xC0 == 0x80 { utf8.formIndex(after: &start) }
        return String(self[start...])
    }
}
