import ArgumentParser
import FafAPI
import Glibc
import Varlink

/// How a line of output is shown: journalctl's words, with journalctl's meaning.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case cat, short, json
    case shortISO = "short-iso"
    case shortPrecise = "short-precise"

    /// Throws if the line has no time, and one is to be shown.
    func line(_ entry: Wire.LogLine) throws(Failure) -> String {
        switch self {
        case .cat: return entry.text
        case .json: return Escape.inJSON(Self.fields(entry).text)
        case .short, .shortISO, .shortPrecise: break
        }
        guard let time = entry.time else {
            throw Failure(
                .data, "the output of run \(entry.run) is in a file, whose lines have no times",
                remedy: "take --output=cat or json, or write to the journal (StandardOutput=journal in the unit)")
        }
        let pid = entry.pid.map { "[\($0)]" } ?? ""
        return "\(stamp(time)) \(Self.hostName) \(entry.identifier ?? "unknown")\(pid): \(entry.text)"
    }

    private func stamp(_ time: Int64) -> String {
        switch self {
        case .shortISO: return Clock.formatted(time, "%Y-%m-%dT%H:%M:%S%z")
        case .shortPrecise:
            let digits = String(time % 1_000_000)
            return Clock.formatted(time, "%b %d %H:%M:%S.") + String(repeating: "0", count: 6 - digits.utf8.count)
                + digits
        case .cat, .short, .json: return Clock.formatted(time, "%b %d %H:%M:%S")
        }
    }

    /// The journal's names (systemd.journal-fields(7)), and our own for what it has not.
    private static func fields(_ entry: Wire.LogLine) -> JSON {
        func text(_ number: Int64?) -> JSON? { number.map { .string(String($0)) } }
        return .object([
            "__REALTIME_TIMESTAMP": text(entry.time), "PRIORITY": text(entry.priority),
            "SYSLOG_IDENTIFIER": entry.identifier.map { .string($0) }, "_PID": text(entry.pid),
            "FAF_RUN": text(entry.run), "FAF_ATTEMPT": text(entry.attempt), "MESSAGE": .string(entry.text),
        ])
    }

    private static let hostName: String = {
        var name = [CChar](repeating: 0, count: 65)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()
}
