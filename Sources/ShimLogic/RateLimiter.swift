/// Lets something be written at once, then at most every `interval`; what comes in between waits, and the last one is
/// always written.
public struct RateLimiter: Equatable, Sendable {
    /// 20 times a second.
    public static var interval: UInt64 { 50_000 }

    /// When something was written last; 0: never.
    private var last: UInt64 = 0
    public private(set) var isWaiting = false

    public init() {}

    /// There is something to write. True: write it now.
    public mutating func wants(at now: UInt64) -> Bool {
        isWaiting = true
        return isDue(at: now)
    }

    public func isDue(at now: UInt64) -> Bool { isWaiting && now >= deadline }

    /// When to ask again; `UInt64.max`: nothing waits.
    public var deadline: UInt64 {
        guard isWaiting else { return .max }
        return last == 0 ? 0 : last + RateLimiter.interval
    }

    public mutating func wrote(at now: UInt64) {
        last = now
        isWaiting = false
    }
}
