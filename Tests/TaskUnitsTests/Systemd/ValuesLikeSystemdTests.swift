import Glibc
import TaskModel
import TaskUnits
import Testing

/// Thousands of made-up values, read by faf and by systemd 252.
@Suite(.enabled(if: LibSystemd.shared != nil, "systemd 252 is not installed"))
struct ValuesLikeSystemdTests {
    let systemd: LibSystemd

    init() throws { systemd = try #require(LibSystemd.shared) }

    @Test func `booleans are systemd's`() {
        let pieces = ["1", "0", "yes", "YES", "no", "y", "n", "t", "f", "true", "True", "on", "off", " ", "e", "2"]
        for text in pieces + Cases.texts(2000, seed: 1, pieces, upTo: 3) {
            let expected = systemd.number("parse_boolean", text).map { $0 > 0 }
            same(try? Value.boolean(text), text, expected)
        }
    }

    @Test func `time spans are systemd's`() throws {
        typealias Parse = @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<UInt64>, UInt64) -> CInt
        let parse = try #require(systemd.function("parse_time", as: Parse.self))
        let pieces = [
            "1", "5", "30", ".5", "0.25", "1.", "18446744073709", "9223372036854775807", " ", " ", "\t", "+", "-",
            "\u{B}",
            "us", "usec", "\u{B5}s", "\u{3BC}s", "ms", "msec", "s", "sec", "second", "seconds", "m", "min", "minute",
            "minutes", "h", "hr", "hour", "hours", "d", "day", "days", "w", "week", "weeks", "M", "month", "months",
            "y",
            "year", "years", "infinity", "S", "x", "e3", "0x10",
        ]
        for unit: UInt64 in [1_000_000, 1, 60_000_000] {
            for text in pieces + Cases.texts(20000, seed: unit, pieces, upTo: 6) {
                var time: UInt64 = 0
                let expected = parse(text, &time, unit) < 0 ? nil : time
                var span = try? Value.timeSpan(text, defaultUnitMicroseconds: unit)
                if case .infinity? = span { span = .microseconds(.max) }
                same(span, text, expected.map { .microseconds($0) })
            }
        }
    }

    @Test func `sizes are systemd's`() throws {
        typealias Parse = @convention(c) (UnsafePointer<CChar>, UInt64, UnsafeMutablePointer<UInt64>) -> CInt
        let parse = try #require(systemd.function("parse_size", as: Parse.self))
        let pieces = [
            "1", "3", "10", "999", ".5", ".", "0.1", "3.14159", "18446744073709551615", "16", " ", "K", "M", "G", "T",
            "P",
            "E", "B", "k", "i", "+", "-", "1G512M", "\t",
        ]
        for base: UInt64 in [1000, 1024] {
            for text in pieces + Cases.texts(20000, seed: base, pieces, upTo: 6) {
                // A fraction behind 2^64-1 makes systemd's check for overflow overflow itself.
                if text.contains("18446744073709551615.") { continue }
                var size: UInt64 = 0
                let expected = parse(text, base, &size) < 0 ? nil : size
                same(try? Value.size(text, base: base), text, expected)
            }
        }
    }

    @Test(arguments: PercentScale.allCases)
    func `percentages are systemd's`(scale: PercentScale) {
        let pieces = [
            "0", "1", "5", "50", "100", "101", ".", ".5", ".55", "%", "%", "‰", "‱", " ", "+", "-", "0x1F", "0b11",
            "0o7",
            "21474836", "x",
        ]
        for text in pieces + Cases.texts(10000, seed: 3, pieces, upTo: 4) {
            let expected = systemd.number("parse_\(scale.rawValue)", text)
            same((try? Value.percent(text, scale: scale)).map(Int64.init), text, expected)
        }
    }

    @Test func `signals are systemd's`() {
        let pieces = [
            "SIG", "TERM", "HUP", "KILL", "RTMIN", "RTMAX", "+", "-", "+3", "-3", "30", "31", "1", "64", "65", "0", " ",
            "IO", "POLL", "IOT", "CLD", "STKFLT", "0x1", "term", "9223372036854775808",
        ]
        let numbers = (0...70).flatMap { ["\($0)", "RTMIN+\($0)", "RTMAX-\($0)", "SIGRTMIN+\($0)"] }
        for text in pieces + numbers + Cases.texts(10000, seed: 4, pieces, upTo: 4) {
            let expected = systemd.number("signal_from_string", text)
            same((try? Value.signal(text)).map(Int64.init), text, expected)
        }
        for number in UInt8(1)...64 where Value.signalName(number).hasPrefix("SIG") {
            same(try? Value.signal(Value.signalName(number)), "\(number)", number)
        }
    }

    @Test func `exit statuses are systemd's`() throws {
        typealias Name = @convention(c) (CInt, CInt) -> UnsafePointer<CChar>?
        let name = try #require(systemd.function("exit_status_to_string", as: Name.self))
        let known = (0...255).compactMap { name($0, 0xFF).map { String(cString: $0) } }
        #expect(known.count > 60)
        let pieces = ["TEMPFAIL", "SIG", "TERM", "1", "0", "255", "256", "-", "+", "0x1F", " ", "RTMIN", "EXEC"]
        for text in known + pieces + Cases.texts(5000, seed: 5, pieces, upTo: 3) {
            let code = systemd.number("exit_status_from_string", text)
            let signal = systemd.number("signal_from_string", text)
            let expected: ExitStatusItem? =
                code.map { .code(UInt8($0)) } ?? signal.map { .signal(UInt8($0)) }
            same(try? Value.exitStatus(text), text, expected)
        }
    }

    @Test func `modes and nice levels are systemd's`() throws {
        typealias Parse = @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<UInt32>) -> CInt
        let mode = try #require(systemd.function("parse_mode", as: Parse.self))
        let nice = try #require(systemd.function("parse_nice", as: Parse.self))
        let pieces = ["0", "7", "22", "8", "19", "20", "+", "-", " ", "0x1", "0b1", "0o17", "77777777777777777777"]
        for text in pieces + Cases.texts(10000, seed: 6, pieces, upTo: 4) {
            var number: UInt32 = 0
            let expected = mode(text, &number) < 0 ? nil : UInt16(number)
            same(try? Value.umask(text), text, expected)
            let level = nice(text, &number) < 0 ? nil : Int8(Int32(bitPattern: number))
            same(try? Value.nice(text), text, level)
        }
    }

    @Test(arguments: Value.Resource.allCases)
    func `resource limits are systemd's`(resource: Value.Resource) throws {
        typealias Parse = @convention(c) (CInt, UnsafePointer<CChar>, UnsafeMutablePointer<rlimit>) -> CInt
        let parse = try #require(systemd.function("rlimit_parse", as: Parse.self))
        let pieces = [
            "1", "20", "40", "41", "1024", "infinity", ":", ":", "K", "G", "min", "ms", "us", " ", "+", "-", ".5",
            "18446744073709551615", "0x10",
        ]
        for text in pieces + Cases.texts(5000, seed: 7, pieces, upTo: 5) {
            var limit = rlimit()
            let expected = parse(CInt(resource.rawValue), text, &limit) < 0 ? nil : limit
            let actual = try? Value.rlimit(text, resource: resource)
            same(actual?.soft, text, expected.map { UInt64($0.rlim_cur) })
            same(actual?.hard, text, expected.map { UInt64($0.rlim_max) })
        }
    }
}
