import Glibc

/// Times and durations for people. On the wire they are µs.
enum Clock {
    /// Now, in µs since 1970.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// `2026-11-21 01:44:12`, in local time.
    static func local(_ microseconds: Int64) -> String {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "\(microseconds) µs since 1970" }
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let date = "\(Int(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    /// In local time, as strftime(3) has it.
    static func formatted(_ microseconds: Int64, _ format: String) -> String {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        var text = [CChar](repeating: 0, count: 128)
        guard localtime_r(&seconds, &parts) != nil, strftime(&text, text.count, format, &parts) > 0 else {
            return "@\(microseconds / 1_000_000)"
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `3 min ago`; `now` for what is not a second old.
    static func ago(_ microseconds: Int64, now: Int64) -> String {
        let difference = now - microseconds
        if difference < -1_000_000 { return "in \(coarse(-difference))" }
        return difference < 1_000_000 ? "now" : "\(coarse(difference)) ago"
    }

    static func localAndAgo(_ microseconds: Int64, now: Int64) -> String {
        "\(local(microseconds)) (\(ago(microseconds, now: now)))"
    }

    /// The two largest units: `340 ms`, `1.5 s`, `12 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`.
    static func duration(_ microseconds: Int64) -> String {
        let microseconds = max(0, microseconds)
        if microseconds < 1_000_000 { return "\(microseconds / 1000) ms" }
        if microseconds < 10_000_000 {
            let tenths = microseconds / 100_000
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        }
        let seconds = microseconds / 1_000_000
        let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
        guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "\(seconds) s" }
        let whole = "\(seconds / units[first].0) \(units[first].1)"
        let rest = seconds % units[first].0
        guard first + 1 < units.count, rest / units[first + 1].0 > 0 else { return whole }
        return "\(whole) \(rest / units[first + 1].0) \(units[first + 1].1)"
    }

    /// All of it: `1 h 30 s`.
    static func exact(_ microseconds: Int64) -> String {
        var rest = microseconds
        var parts: [String] = []
        let units: [(Int64, String)] = [
            (86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1000, "ms"), (1, "µs"),
        ]
        for (length, unit) in units where rest >= length {
            parts.append("\(rest / length) \(unit)")
            rest %= length
        }
        return parts.isEmpty ? "0" : parts.joined(separator: " ")
    }

    /// The largest unit alone.
    static func coarse(_ microseconds: Int64) -> String {
        let seconds = microseconds / 1_000_000
        for (length, unit) in [(Int64(86_400), "d"), (3600, "h"), (60, "min")] where seconds >= length {
            return "\(seconds / length) \(unit)"
        }
        return "\(seconds) s"
    }
}
