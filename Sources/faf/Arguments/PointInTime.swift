import Glibc
import TaskModel
import TaskUnits

/// A point in time as systemd's programs take it (systemd.time(7), "Parsing timestamps").
enum PointInTime {
    /// µs since 1970.
    static func parse(_ text: String, now: Int64 = Clock.now) throws(Failure) -> Int64 {
        guard let time = relative(text, now) ?? absolute(text, now), time >= 0 else {
            throw Failure(
                .usage, "\(text) is not a time",
                remedy:
                    "write 2026-11-21 10:00, 10:00, today, yesterday, 2 hours ago, -2h or @SECONDS (systemd.time(7))")
        }
        return time
    }

    private static func relative(_ text: String, _ now: Int64) -> Int64? {
        func span(_ text: Substring) -> Int64? {
            guard case .microseconds(let span)? = try? Value.timeSpan(String(text)) else { return nil }
            return Int64(exactly: span)
        }
        func sum(_ span: Int64?, sign: Int64) -> Int64? {
            guard let (sum, overflow) = span.map({ now.addingReportingOverflow(sign * $0) }), !overflow else {
                return nil
            }
            return sum
        }
        if text == "now" { return now }
        if text.hasPrefix("@") { return span(text.dropFirst()) }
        if text.hasPrefix("+") { return sum(span(text.dropFirst()), sign: 1) }
        if text.hasPrefix("-") { return sum(span(text.dropFirst()), sign: -1) }
        if text.hasSuffix(" ago") { return sum(span(text.dropLast(4)), sign: -1) }
        if text.hasSuffix(" left") { return sum(span(text.dropLast(5)), sign: 1) }
        return nil
    }

    // MARK: Dates and times of day

    private enum Zone { case local(daylight: Int32), utc, named(String) }

    private static func absolute(_ text: String, _ now: Int64) -> Int64? {
        let (text, zone) = split(text, now)
        guard case .named(let name) = zone else { return moment(text, now, zone) }
        // The C library knows one zone at a time, and this program has one thread.
        let before = getenv("TZ").map { String(cString: $0) }
        setenv("TZ", ":" + name, 1)
        defer {
            if let before { setenv("TZ", before, 1) } else { unsetenv("TZ") }
            tzset()
        }
        tzset()
        return moment(text, now, .local(daylight: -1))
    }

    /// The zone is the last word, if it is one.
    private static func split(_ text: String, _ now: Int64) -> (String, Zone) {
        guard let space = text.lastIndex(of: " ") else { return (text, .local(daylight: -1)) }
        let (rest, word) = (String(text[..<space]), String(text[text.index(after: space)...]))
        if word.uppercased() == "UTC" { return (rest, .utc) }
        if let daylight = daylight(ofLocalZone: word, now) { return (rest, .local(daylight: daylight)) }
        let isName = word.utf8.allSatisfy {
            (65...90).contains($0 & ~32) || (48...57).contains($0) || "/_+-".utf8.contains($0)
        }
        if isName, word.contains(where: \.isLetter), access("/usr/share/zoneinfo/" + word, R_OK) == 0 {
            return (rest, .named(word))
        }
        return (text, .local(daylight: -1))
    }

    /// Whether the name is that of the local zone's winter or summer time, as one of the next twelve months has it.
    private static func daylight(ofLocalZone name: String, _ now: Int64) -> Int32? {
        for month in 0..<12 {
            var seconds = time_t(now / 1_000_000 + Int64(month) * 30 * 86_400)
            var parts = tm()
            guard localtime_r(&seconds, &parts) != nil, let zone = parts.tm_zone else { continue }
            if String(cString: zone).uppercased() == name.uppercased() { return parts.tm_isdst }
        }
        return nil
    }

    private static func moment(_ text: String, _ now: Int64, _ zone: Zone) -> Int64? {
        var parts = tm()
        var seconds = time_t(now / 1_000_000)
        if case .utc = zone { gmtime_r(&seconds, &parts) } else { localtime_r(&seconds, &parts) }
        if case .local(let daylight) = zone { parts.tm_isdst = daylight }
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (0, 0, 0)
        if let shift = ["yesterday": Int32(-1), "today": 0, "tomorrow": 1][text] {
            parts.tm_mday += shift
            return count(&parts, zone)
        }
        var words = text.split(separator: " ")
        let weekday = words.first.flatMap { dayOfWeek($0) }
        if weekday != nil { words.removeFirst() }
        var fraction: Int64 = 0
        guard (1...2).contains(words.count) else { return nil }
        if words.count == 2 || words[0].contains("-") {
            guard takeDate(words.removeFirst(), &parts) else { return nil }
        }
        if let time = words.first {
            guard let found = takeTime(time, &parts) else { return nil }
            fraction = found
        }
        if let weekday, parts.tm_wday != weekday { return nil }
        return count(&parts, zone).map { $0 + fraction }
    }

    /// `2026-11-21` or `26-11-21`.
    private static func takeDate(_ text: Substring, _ parts: inout tm) -> Bool {
        let numbers = text.split(separator: "-", omittingEmptySubsequences: false)
        guard numbers.count == 3, let year = number(numbers[0], digits: 4, 0...9999),
            let month = number(numbers[1], digits: 2, 1...12), let day = number(numbers[2], digits: 2, 1...31)
        else { return false }
        // Two digits are of this century and the last, as strptime(3) has it.
        parts.tm_year = numbers[0].utf8.count > 2 ? year - 1900 : year < 69 ? year + 100 : year
        parts.tm_mon = month - 1
        parts.tm_mday = day
        var date = parts
        timegm(&date)
        parts.tm_wday = date.tm_wday
        return true
    }

    /// `10:11` or `10:11:12.5`; returns the µs behind the seconds.
    private static func takeTime(_ text: Substring, _ parts: inout tm) -> Int64? {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = halves[0].split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(numbers.count), let hour = number(numbers[0], digits: 2, 0...23),
            let minute = number(numbers[1], digits: 2, 0...59)
        else { return nil }
        (parts.tm_hour, parts.tm_min) = (hour, minute)
        guard numbers.count == 3 else { return halves.count == 1 ? 0 : nil }
        guard let second = number(numbers[2], digits: 2, 0...60) else { return nil }
        parts.tm_sec = second
        guard halves.count == 2 else { return 0 }
        guard !halves[1].isEmpty, halves[1].utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64((halves[1] + "00000").prefix(6))
    }

    private static func number(_ text: Substring, digits: Int, _ range: ClosedRange<Int32>) -> Int32? {
        guard (1...digits).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
            let number = Int32(text), range.contains(number)
        else { return nil }
        return number
    }

    private static func dayOfWeek(_ word: Substring) -> Int32? {
        let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        let word = word.lowercased()
        return days.firstIndex { $0 == word || $0.prefix(3) == word }.map { Int32($0) }
    }

    private static func count(_ parts: inout tm, _ zone: Zone) -> Int64? {
        let seconds: time_t
        if case .utc = zone { seconds = timegm(&parts) } else { seconds = mktime(&parts) }
        let (product, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
        return seconds < 0 || overflow ? nil : product
    }
}
