import FafAPI
import FakeSupervisor
import Testing
import Varlink

@testable import faf

struct LogFormatTests {
    private let line = Wire.LogLine(
        text: "a\u{1b}b", run: 17, attempt: 2, time: 1_353_694_522_000_042, pid: 813, priority: 6, identifier: "count")

    @Test func `JSON has journalctl's names and strings`() throws {
        let shown = try LogFormat.json.line(line)
        #expect(
            shown
                == #"{"__REALTIME_TIMESTAMP":"1353694522000042","PRIORITY":"6","SYSLOG_IDENTIFIER":"count","_PID":"813","#
                + #""FAF_RUN":"17","FAF_ATTEMPT":"2","MESSAGE":"a\u001bb"}"#)
        #expect(try LogFormat.json.line(.init(text: "x", run: 1)) == #"{"FAF_RUN":"1","MESSAGE":"x"}"#)
    }

    @Test func `without a time only formats without one are shown`() throws {
        #expect(try LogFormat.cat.line(.init(text: "x", run: 1)) == "x")
        for format in [LogFormat.short, .shortISO, .shortPrecise] {
            let failure = #expect(throws: Failure.self) { try format.line(.init(text: "x", run: 1)) }
            #expect(failure?.message.contains("in a file") == true)
            #expect(failure?.code == .data)
        }
    }
}

/// What systemd 252 makes of the same texts (`systemd-analyze timestamp`), and its manual's examples.
struct PointInTimeTests {
    /// 2012-11-23 10:15:22 UTC, a Friday.
    private let now: Int64 = 1_353_665_722_000_000

    private func seconds(_ text: String) throws -> Int64 { try PointInTime.parse(text, now: now) / 1_000_000 }

    @Test func `spans count from now or from 1970`() throws {
        #expect(try PointInTime.parse("now", now: now) == now)
        #expect(try seconds("+3h30min") == 1_353_665_722 + 12_600)
        #expect(try seconds("-5s") == 1_353_665_717)
        #expect(try seconds("11min ago") == 1_353_665_062)
        #expect(try seconds("2 hours left") == 1_353_672_922)
        #expect(try PointInTime.parse("@1395716396.5", now: now) == 1_395_716_396_500_000)
    }

    @Test(arguments: [
        ("Fri 2012-11-23 11:12:13 UTC", 1_353_669_133), ("friday 2012-11-23 11:12:13 utc", 1_353_669_133),
        ("2012-11-23 11:12 UTC", 1_353_669_120), ("2012-11-23 UTC", 1_353_628_800), ("12-11-23 UTC", 1_353_628_800),
        ("11:12:13 UTC", 1_353_669_133), ("11:12 UTC", 1_353_669_120), ("Fri 11:12 UTC", 1_353_669_120),
        ("today UTC", 1_353_628_800), ("yesterday UTC", 1_353_542_400), ("tomorrow UTC", 1_353_715_200),
        ("70-1-2 UTC", 86_400), ("2012-2-31 UTC", 1_330_646_400),
    ]) func `dates and times of day`(text: String, expected: Int64) throws {
        #expect(try seconds(text) == expected)
    }

    @Test func `fractions of seconds`() throws {
        #expect(try PointInTime.parse("2014-03-25 03:59:56.654563 UTC", now: now) == 1_395_719_996_654_563)
        #expect(try PointInTime.parse("2014-03-25 03:59:56.6 UTC", now: now) == 1_395_719_996_600_000)
    }

    @Test(arguments: [
        "", "now UTC", "1h", "infinity", "@infinity", "@", "+", "Thu 2012-11-23", "2012-13-01", "2012-11-23T11:12:13",
        "2012-11-23 11", "11:12:13.", "11:12.5", "24:00", "2012-11-23 11:12:13 Nowhere/Else",
        "2012-11-23 ../etc/passwd",
        "1960-01-01 UTC", "-100y", "next week",
    ]) func `anything else is no time`(text: String) {
        let failure = #expect(throws: Failure.self) { try PointInTime.parse(text, now: now) }
        #expect(failure?.code == .usage)
    }
}

/// The program, against something that answers like fafd.
@Suite(.timeLimit(.minutes(2)))
struct LogsCommandTests {
    private let entry = Wire.LogLine(
        text: "x", run: 17, attempt: 1, time: 1_353_694_522_000_042, pid: 813, priority: 6, identifier: "count")

    @Test func `what is asked for is sent`() throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.ReadLog.Reply()) }
        defer { fake.stop() }
        _ = try call(["logs", "17", "-n", "5", "--attempt", "2", "-S", "@1700000000"], fake)
        _ = try call(["logs", "count@a.task", "-f", "-o", "json"], fake)
        #expect(
            fake.calls.map(\.json.text) == [
                #"{"run":17,"attempt":2,"lines":5,"since":1700000000000000}"#,
                #"{"task":"count@a","follow":true,"details":true}"#,
            ])
        #expect(!fake.calls.contains { !$0.more })
    }

    @Test func `times of day are those of the caller's zone`() throws {
        let fake = try FakeSupervisor { _ in .reply(Wire.ReadLog.Reply(entries: [entry])) }
        defer { fake.stop() }
        let zone = "CST-8CDT,M4.1.0,M10.1.0"
        for since in [
            "2012-11-23 18:15:22", "2012-11-23 18:15:22 CST", "2012-07-23 18:15:22", "2012-07-23 18:15:22 cdt",
        ] {
            _ = try call(["logs", "17", "--since", since], fake, zone: zone)
        }
        #expect(
            fake.calls.map { $0.parameters["since"]?.text } == [
                "1353665722000000", "1353665722000000", "1343034922000000", "1343034922000000",
            ])
        let shown = try call(["logs", "17", "-o", "short-iso"], fake, zone: zone).output
        #expect(shown.hasPrefix("2012-11-24T02:15:22+0800 "))
        #expect(shown.hasSuffix(" count[813]: x\n"))
        #expect(try call(["logs", "17", "-o", "short"], fake, zone: zone).output.hasPrefix("Nov 24 02:15:22 "))
        #expect(try call(["logs", "17", "-o", "short-precise"], fake).output.hasPrefix("Nov 23 18:15:22.000042 "))
    }

    @Test(arguments: [
        ["logs", "17", "--since", "soon"], ["logs", "17", "-o", "export"], ["logs", "17", "--json", "-o", "json"],
        ["logs", "count", "--attempt", "1"], ["logs", "17", "-n", "-1"], ["logs"],
    ]) func `what cannot be is refused before anybody is asked`(arguments: [String]) throws {
        let fake = try FakeSupervisor { _ in .hangUp }
        defer { fake.stop() }
        #expect(try call(arguments, fake).status == 64)
        #expect(fake.calls.isEmpty)
    }

    @Test func `a log that is followed goes on behind its last line at the next fafd`() throws {
        let fake = try FakeSupervisor { call in
            switch call.parameters["after"]?.stringValue {
            case nil: .repliesThenHangUp([Wire.ReadLog.Reply(lines: ["1", "2"], place: "p2").json])
            case "p2": .repliesThenHangUp([Wire.ReadLog.Reply(lines: ["3"], place: "p3").json])
            default: .reply(Wire.ReadLog.Reply(lines: ["4"]))
            }
        }
        defer { fake.stop() }
        let done = try call(["logs", "17", "-f", "-n", "2"], fake)
        #expect(done.status == 0)
        #expect(done.output == "1\n2\n3\n4\n")
        #expect(fake.calls.map { $0.parameters["after"]?.stringValue } == [nil, "p2", "p3"])
    }

    @Test func `a log whose place is not known ends, and says so`() throws {
        let fake = try FakeSupervisor { _ in .repliesThenHangUp([Wire.ReadLog.Reply(lines: ["1"]).json]) }
        defer { fake.stop() }
        let done = try call(["logs", "17", "-f"], fake)
        #expect(done.status == 70)
        #expect(done.output == "1\n")
        #expect(fake.calls.count == 1)
    }
}
