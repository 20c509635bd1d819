internal import TaskModel

/// Puts together what journald has cut: a long line, or one that several processes wrote.
struct LineJoiner {
    /// A line longer than this stays cut: it fits into a message, even if each of its bytes is escaped.
    static let longest = 64 * 1024

    private struct Part {
        var line: OutputLine
        var text: [UInt8]

        var whole: OutputLine {
            var whole = line
            whole.text = String(decoding: text, as: UTF8.self)
            return whole
        }
    }

    /// By stream: what has had no newline so far.
    private var partial: [String: Part] = [:]

    /// Nothing is held back.
    var isEmpty: Bool { partial.isEmpty }

    /// The lines that are complete now.
    ///
    /// - Parameters:
    ///   - line: all of the entry but its text.
    ///   - lineBreak: `_LINE_BREAK=` of the entry (systemd.journal-fields(7)).
    mutating func take(_ line: OutputLine, _ text: [UInt8], stream: String?, lineBreak: String?) -> [OutputLine] {
        var part = Part(line: line, text: text)
        guard let stream else { return [part.whole] }
        var lines: [OutputLine] = []
        if let begun = partial.removeValue(forKey: stream) {
            if begun.text.count + text.count > Self.longest {
                lines.append(begun.whole)
            } else {
                part = Part(line: begun.line, text: begun.text + text)
            }
        }
        switch lineBreak {
        case "line-max", "pid-change": partial[stream] = part  // there was no newline
        default: lines.append(part.whole)
        }
        return lines
    }

    /// What had no newline at the end.
    mutating func rest() -> [OutputLine] {
        defer { partial = [:] }
        return partial.values.map(\.whole).sorted { ($0.time?.microseconds ?? 0) < ($1.time?.microseconds ?? 0) }
    }
}
