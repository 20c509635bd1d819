public import Supervisor
public import TaskModel

/// The last lines of an attempt, read as its whole log is.
extension FafService: OutputReading {
    public func outputEnd(of run: Run) -> UInt64? {
        run.settings.writesJournal ? nil : try? host.outputSize(of: run.id)
    }

    public func lastLines(
        of attempt: Attempt, _ run: Run, before end: UInt64?
    ) async throws(OutputRefusal) -> OutputTail? {
        do throws(HostRefusal) {
            return try await TailReader(host: host).read(attempt, run, before: end)
        } catch { throw OutputRefusal(message: "\(error.subject): \(error.message)") }
    }
}

struct TailReader {
    let host: any Host

    /// - Parameter end: of its file; `nil`: it has none.
    func read(_ attempt: Attempt, _ run: Run, before end: UInt64?) async throws(HostRefusal) -> OutputTail? {
        if run.settings.writesJournal { return try await journalTail(of: attempt, run) }
        guard let end, let start = attempt.outputStart ?? (attempt.number == 1 ? 0 : nil) else { return nil }
        return try fileTail(of: run.id, start: start, end: end)
    }

    /// journald is asked to take in what it was sent before; if it does not answer, what it has is all. That costs it a sync
    /// of its files, so it is not asked at each success.
    private func journalTail(of attempt: Attempt, _ run: Run) async throws(HostRefusal) -> OutputTail? {
        let journal = try host.journal(from: OutputStart(last: Int64(OutputTail.lineLimit)))
        var selection = OutputSelection()
        selection.add(attempt, of: run)
        var lines: [String] = []
        let mood = attempt.state == .succeeded ? OutputMood.now : .last
        // A part has one line at least; there are more only if processes that the attempt has left go on writing.
        for _ in 0...OutputTail.lineLimit {
            guard case .lines(let part, _) = try await journal.next(mood, of: selection), !part.isEmpty else { break }
            lines = (lines + part.map(\.text)).suffix(OutputTail.lineLimit)
        }
        if case .lines(let rest, _) = try await journal.next(.rest, of: selection) { lines += rest.map(\.text) }
        return OutputTail(lines)
    }

    private func fileTail(of run: RunID, start: UInt64, end: UInt64) throws(HostRefusal) -> OutputTail? {
        // A task may make its file shorter, and then nothing in front of its end is of an earlier attempt.
        let start = start > end ? 0 : start
        let limit = UInt64(OutputTail.byteLimit)
        guard end - start > limit else {
            return lines(try host.output(of: run, from: start, limit: Int(end - start)), isCut: false)
        }
        // The byte in front tells whether a line begins here.
        let bytes = try host.output(of: run, from: end - limit - 1, limit: Int(limit) + 1)
        let isCut = bytes.first != UInt8(ascii: "\n")
        // The rest of a character that began in front is no character.
        return lines(Array(bytes.dropFirst().drop { isCut && $0 & 0xC0 == 0x80 }), isCut: isCut)
    }

    private func lines(_ bytes: [UInt8], isCut: Bool) -> OutputTail? {
        var reader = LineReader()
        reader.take(bytes)
        reader.finish()
        return OutputTail(reader.lines(), isCut: isCut)
    }
}
