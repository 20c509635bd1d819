import TaskModel
import Testing

@testable import faf

let colorful = Terminal(isTerminal: true, columns: 80, hasColors: true)
let colorless = Terminal(isTerminal: true, columns: 80, hasColors: false)

struct EscapeTests {
    @Test func `controls are shown and do nothing`() {
        #expect(Escape.forTerminal("a\u{1b}[31mred\u{7}\r\n\t\u{7f}") == #"a\x1b[31mred\x07\r\n\t\x7f"#)
        #expect(Escape.forTerminal("\u{9b}31m\u{85}\u{2028}") == #"\u009b31m\u0085\u2028"#)
    }

    @Test func `text that reads differently from what it is is shown`() {
        #expect(Escape.forTerminal("a\u{202e}b\u{2066}c\u{feff}d\u{e0041}") == #"a\u202eb\u2066c\ufeffd\U000e0041"#)
    }

    @Test func `letters of all scripts stay`() {
        let text = "naïve 日本語 עברית \u{1f469}\u{200d}\u{1f4bb} e\u{301} \\x1b"
        #expect(Escape.forTerminal(text) == text)
    }

    @Test func `tabs may stay in logs`() {
        #expect(Escape.forTerminal("a\tb\u{1b}", keepingTabs: true) == "a\tb\\x1b")
    }

    @Test func `JSON stays the same JSON`() {
        #expect(
            Escape.inJSON("[\"a\u{7f}\u{9b}\u{202e}\u{e0041}é\",\n 1]") == #"["a\u007f\u009b\u202e\udb40\udc41é","#
                + "\n 1]")
    }
}

struct ColumnsTests {
    @Test func `wide letters take two columns and marks none`() {
        #expect(Columns.width(of: "abc") == 3)
        #expect(Columns.width(of: "日本") == 4)
        #expect(Columns.width(of: "e\u{301}") == 1)
        #expect(Columns.width(of: "\u{1f469}\u{200d}\u{1f4bb}") == 2)
        #expect(Columns.width(of: "ﾊﾝｶｸ") == 4)
    }

    @Test func `what does not fit ends in an ellipsis`() {
        #expect(Columns.shortened("abcdef", to: 6) == "abcdef")
        #expect(Columns.shortened("abcdef", to: 5) == "abcd…")
        #expect(Columns.shortened("日本語", to: 5) == "日本…")
        #expect(Columns.shortened("日本語", to: 4) == "日…")
        #expect(Columns.shortened("abc", to: 0) == "")
    }
}

struct ProgressBarTests {
    @Test func `the bar shows the part that is done`() {
        #expect(ProgressBar.text(done: 3, total: 5, terminal: colorless) == "[######....] 3/5")
        #expect(ProgressBar.text(done: 0, total: 5, terminal: colorless) == "[..........] 0/5")
        #expect(ProgressBar.text(done: 5, total: 5, terminal: colorless) == "[##########] 5/5")
    }

    @Test func `what a task says wrongly breaks nothing`() {
        #expect(ProgressBar.text(done: 9, total: 5, terminal: colorless) == "[##########] 9/5")
        #expect(ProgressBar.text(done: 1, total: 0, terminal: colorless) == "1/0")
        #expect(ProgressBar.text(done: -1, total: 5, terminal: colorless) == "[..........] -1/5")
        #expect(
            ProgressBar.text(done: .max, total: .max, terminal: colorless) == "[##########] \(Int64.max)/\(Int64.max)")
    }

    @Test func `there is no bar without a terminal`() {
        #expect(ProgressBar.text(done: 3, total: 5, terminal: .plain) == "3/5")
    }
}

struct ClockTests {
    @Test(arguments: [
        (0, "0 ms"), (340_000, "340 ms"), (1_000_000, "1 s"), (1_560_000, "1.5 s"), (12_900_000, "12 s"),
        (60_000_000, "1 min"), (184_000_000, "3 min 4 s"), (7_500_000_000, "2 h 5 min"), (3_605_000_000, "1 h"),
        (273_600_000_000, "3 d 4 h"), (-5, "0 ms"),
    ])
    func `durations have their two largest units`(microseconds: Int64, text: String) {
        #expect(Clock.duration(microseconds) == text)
    }

    @Test func `exact durations have all of them`() {
        #expect(Clock.exact(3_630_000_000) == "1 h 30 s")
        #expect(Clock.exact(1_002_003) == "1 s 2 ms 3 µs")
        #expect(Clock.exact(0) == "0")
    }

    @Test func `ago looks back, and forward when clocks were set`() {
        #expect(Clock.ago(0, now: 500_000) == "now")
        #expect(Clock.ago(0, now: 184_000_000) == "3 min ago")
        #expect(Clock.ago(7_300_000_000, now: 0) == "in 2 h")
    }

    @Test func `sizes`() {
        #expect(ByteSize.text(512) == "512 B")
        #expect(ByteSize.text(1536) == "1.5 KiB")
        #expect(ByteSize.text(200 << 20) == "200 MiB")
        #expect(ByteSize.text(.max).hasSuffix("TiB"))
    }
}

struct TableTests {
    @Test func `columns are as wide as they are shown`() {
        var table = Table([("RUN", .right), ("TASK", .left), ("", .left), ("STATUS", .left)], terminal: .plain)
        table.add([.init("7"), .init("日本"), .init(""), .init("a\nb")])
        table.add([.init("1234"), .init("x"), .init(""), .init("")])
        #expect(table.lines == [" RUN  TASK  STATUS", "   7  日本  a\\nb", "1234  x"])
    }

    @Test func `the last column takes what is left`() {
        let narrow = Terminal(isTerminal: true, columns: 30, hasColors: false)
        var table = Table([("A", .left), ("B", .left)], terminal: narrow)
        table.add([.init("12345678"), .init("the quick brown fox jumps")])
        #expect(table.lines == ["A         B", "12345678  the quick brown fox…"])
    }

    @Test func `colours are outside of what is measured`() {
        var table = Table([("A", .left), ("B", .left)], terminal: colorful)
        table.add([.init("x", .red), .init("y")])
        #expect(table.lines[1] == "\u{1b}[31mx\u{1b}[0m  y")
    }
}
