import Testing

@testable import ShimLogic

struct RateLimiterTests {
    @Test func `the first is written at once, the next waits its turn`() {
        var limiter = RateLimiter()
        #expect(limiter.deadline == .max && !limiter.isWaiting)
        #expect(limiter.wants(at: 10) == true)
        limiter.wrote(at: 10)
        #expect(limiter.wants(at: 20) == false)
        #expect(limiter.deadline == 10 + RateLimiter.interval)
        #expect(!limiter.isDue(at: 10 + RateLimiter.interval - 1))
        #expect(limiter.isDue(at: 10 + RateLimiter.interval))
        limiter.wrote(at: 10 + RateLimiter.interval)
        #expect(!limiter.isWaiting && limiter.deadline == .max)
    }

    @Test func `a flood is written 20 times a second, and its last message too`() {
        var limiter = RateLimiter()
        var written: [UInt64] = []
        for now in stride(from: UInt64(1_000_000), to: 2_000_000, by: 100) where limiter.wants(at: now) {
            written.append(now)
            limiter.wrote(at: now)
        }
        #expect(written.count == 20)
        #expect(limiter.isWaiting)
        #expect(limiter.isDue(at: 2_000_000))
    }

    @Test func `after a pause it is written at once again`() {
        var limiter = RateLimiter()
        _ = limiter.wants(at: 10)
        limiter.wrote(at: 10)
        #expect(limiter.wants(at: 10 + RateLimiter.interval) == true)
    }
}
