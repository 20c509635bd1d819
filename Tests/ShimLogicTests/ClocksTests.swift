import Testing

@testable import ShimLogic

/// systemd's rules for limits of time (`src/core/service.c`), one by one; times in µs.
struct ClocksTests {
    private static let never = StopSequence.never

    /// What happens to clocks, and when.
    enum Event: Sendable {
        case ready(UInt64)
        case ping(UInt64)
        case extend(UInt64, by: UInt64)
        case setWatchdog(UInt64, to: UInt64)
        case freeze(UInt64)
        case thaw(UInt64)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var limits: Clocks.Limits
        /// Started at 1000.
        var events: [Event]
        var cause: StopSequence.Cause?
        var at: UInt64

        init(
            _ name: String, _ limits: Clocks.Limits, _ events: [Event] = [], ends cause: StopSequence.Cause?,
            at time: UInt64 = ClocksTests.never
        ) {
            (testDescription, self.limits, self.events, self.cause, at) = (name, limits, events, cause, time)
        }
    }

    private static let starts = Clocks.Limits(needsReady: true, start: 50, runtime: 200, watchdog: 30)
    private static let runs = Clocks.Limits(start: 50, runtime: 200)
    private static let watched = Clocks.Limits(runtime: 200, watchdog: 30)

    static let cases: [Case] = [
        .init("no limit", Clocks.Limits(), ends: nil),
        .init("no limit cannot be extended into one", Clocks.Limits(), [.extend(1010, by: 5)], ends: nil),
        .init("a start without READY=1 ends", starts, ends: .timeoutStart, at: 1050),
        .init("simple needs no READY=1", runs, ends: .runtime, at: 1200),
        .init("READY=1 of simple changes nothing", runs, [.ready(1100)], ends: .runtime, at: 1200),
        .init("the running time begins with READY=1", starts, [.ready(1040), .ping(1060)], ends: .watchdog, at: 1090),
        .init("a second READY=1 begins nothing", starts, [.ready(1010), .ready(1030)], ends: .watchdog, at: 1040),
        .init("the watchdog sleeps until READY=1", starts, [.ping(1010)], ends: .timeoutStart, at: 1050),
        .init(
            "the start is extended from the message on", starts, [.extend(1040, by: 100)], ends: .timeoutStart, at: 1140
        ),
        .init("an extension never shortens", starts, [.extend(1010, by: 10)], ends: .timeoutStart, at: 1050),
        .init(
            "an extension has to come again within itself", starts,
            [.extend(1040, by: 100), .extend(1130, by: 100)], ends: .timeoutStart, at: 1230),
        .init(
            "an extended start is over with READY=1", Clocks.Limits(needsReady: true, start: 50, runtime: 20),
            [.extend(1040, by: 1000), .ready(1060)], ends: .runtime, at: 1080),
        .init(
            "0 and infinity extend nothing", runs, [.extend(1010, by: 0), .extend(1010, by: never)], ends: .runtime,
            at: 1200),
        .init("the running time is extended", runs, [.extend(1190, by: 100)], ends: .runtime, at: 1290),
        .init("a ping in time", watched, [.ping(1029)], ends: .watchdog, at: 1059),
        .init("an extension pushes the watchdog, too", watched, [.extend(1020, by: 100)], ends: .watchdog, at: 1120),
        .init(
            "a ping after an extension counts from itself", watched, [.extend(1020, by: 100), .ping(1025)],
            ends: .watchdog, at: 1055),
        .init("WatchdogSec=0 is off", Clocks.Limits(watchdog: 0), [.ping(1010)], ends: nil),
        .init(
            "WATCHDOG_USEC= needs no WatchdogSec=", Clocks.Limits(), [.setWatchdog(1010, to: 40)], ends: .watchdog,
            at: 1050),
        .init("WATCHDOG_USEC= counts as a ping", watched, [.setWatchdog(1010, to: 70)], ends: .watchdog, at: 1080),
        .init("WATCHDOG_USEC=0 switches off", watched, [.setWatchdog(1010, to: 0)], ends: .runtime, at: 1200),
        .init(
            "WATCHDOG_USEC= before READY=1 waits for it", starts, [.setWatchdog(1010, to: 5), .ready(1020)],
            ends: .watchdog, at: 1025),
        .init("RuntimeMaxSec=0 ends at once", Clocks.Limits(runtime: 0), ends: .runtime, at: 1000),
        .init("the earliest limit counts", Clocks.Limits(runtime: 30, watchdog: 40), ends: .runtime, at: 1030),
        .init("frozen, nobody waits for a ping", watched, [.freeze(1010)], ends: .runtime, at: 1200),
        .init("thawed, the watchdog begins anew", watched, [.freeze(1010), .thaw(1100)], ends: .watchdog, at: 1130),
        .init("frozen, the start goes on", starts, [.freeze(1010)], ends: .timeoutStart, at: 1050),
        .init("a huge limit never comes", Clocks.Limits(runtime: never - 10), ends: nil),
    ]

    private func clocks(_ limits: Clocks.Limits, _ events: [Event] = []) -> Clocks {
        var clocks = Clocks(limits)
        clocks.started(at: 1000)
        for event in events {
            switch event {
            case .ready(let now): clocks.saysReady(at: now)
            case .ping(let now): clocks.pinged(at: now)
            case .extend(let now, let span): clocks.extend(by: span, at: now)
            case .setWatchdog(let now, let span): clocks.setWatchdog(span, at: now)
            case .freeze: clocks.froze()
            case .thaw(let now): clocks.thawed(at: now)
            }
        }
        return clocks
    }

    @Test(arguments: cases)
    func `each limit is due exactly in its time`(_ one: Case) {
        let clocks = clocks(one.limits, one.events)
        #expect(clocks.deadline == one.at)
        if one.at > 1000 { #expect(clocks.due(at: one.at - 1) == nil) }
        if let cause = one.cause { #expect(clocks.due(at: one.at) == cause) }
    }

    // MARK: Silence

    private static let second: UInt64 = 1_000_000
    private static let interval: UInt64 = 50_000

    private func silent() -> Clocks {
        var clocks = clocks(Clocks.Limits(silence: Self.second))
        clocks.looked(output: 7, at: 1000)
        return clocks
    }

    @Test func `what is said puts silence off`() {
        var clocks = silent()
        #expect(clocks.due(at: 1000 + Self.second) == .silence)
        clocks.heard(at: 500_000)
        #expect(clocks.due(at: 1000 + Self.second) == nil)
        #expect(clocks.due(at: 500_000 + Self.second) == .silence)
    }

    @Test func `it is looked at output a twentieth of the time after the last look, and at the end`() {
        var clocks = silent()
        #expect(clocks.deadline == 1000 + Self.interval)
        #expect(!clocks.wantsLook(at: 1000 + Self.interval - 1) && clocks.wantsLook(at: 1000 + Self.interval))
        clocks.looked(output: 7, at: 1000 + Self.second - 10)
        #expect(clocks.deadline == 1000 + Self.second && clocks.wantsLook(at: 1000 + Self.second))
        var long = self.clocks(Clocks.Limits(silence: 100 * Self.second))
        long.looked(output: 7, at: 1000)
        #expect(long.deadline == 1000 + 5 * Self.second)
    }

    @Test func `more output, less output and output that nobody can see are signs of life`() {
        for output in [8, 6, nil] as [UInt64?] {
            var clocks = silent()
            clocks.looked(output: output, at: 300_000)
            #expect(clocks.due(at: 299_999 + Self.second) == nil && clocks.due(at: 300_000 + Self.second) == .silence)
        }
        var clocks = silent()
        clocks.looked(output: 7, at: 300_000)
        #expect(clocks.due(at: 1000 + Self.second) == .silence)
    }

    @Test func `frozen, nobody is silent, and nobody looks`() {
        var clocks = silent()
        clocks.froze()
        #expect(clocks.deadline == Self.never && clocks.due(at: Self.never - 1) == nil)
        clocks.heard(at: 2000)
        #expect(clocks.deadline == Self.never)
        clocks.thawed(at: 5000)
        #expect(clocks.due(at: 5000 + Self.second) == .silence)
        #expect(clocks.deadline == 5000 + Self.interval)
    }

    @Test func `who fell silent and was left alone is looked at further`() {
        var clocks = silent()
        clocks.looked(output: 7, at: 1000 + Self.second)
        clocks.fellSilent()
        #expect(clocks.silentSince == 1000 && clocks.due(at: 9 * Self.second) == nil)
        #expect(clocks.wantsLook(at: 1000 + Self.second + Self.interval))
        clocks.looked(output: 8, at: 2 * Self.second)
        #expect(clocks.silentSince == nil && clocks.due(at: 3 * Self.second) == .silence)
    }

    @Test func `without SilenceSec= nobody looks`() {
        for silence in [0, Self.never] {
            var clocks = clocks(Clocks.Limits(silence: silence))
            clocks.heard(at: 2000)
            clocks.looked(output: 7, at: 3000)
            #expect(clocks.deadline == Self.never && !clocks.wantsLooks && !clocks.wantsLook(at: Self.never - 1))
        }
    }

    @Test func `the end stops all clocks for good`() {
        var clocks = clocks(Clocks.Limits(runtime: 10, watchdog: 10, silence: 10))
        clocks.end()
        clocks.pinged(at: 1005)
        clocks.heard(at: 1005)
        clocks.looked(output: 3, at: 1005)
        clocks.setWatchdog(3, at: 1005)
        clocks.froze()
        clocks.thawed(at: 1006)
        #expect(clocks.deadline == Self.never && clocks.due(at: Self.never - 1) == nil)
    }
}
