import Glibc
public import TaskModel

extension RetrySettings {
    /// µs between the end of an attempt and retry `number` (from 1), without jitter: systemd's formula for
    /// `RestartSteps=` (`service_restart_usec_next` in systemd's src/core/service.c), which goes from `delay` to
    /// `maxDelay` by the same factor in each of `steps` steps.
    public func delay(beforeRetry number: UInt32) -> UInt64 {
        guard let maxDelay, number > 1, steps > 0, delay > 0, delay < maxDelay else { return delay }
        if number > steps { return maxDelay }
        let factor = pow(Double(maxDelay) / Double(delay), Double(number - 1) / Double(steps))
        return UInt64(exactly: (Double(delay) * factor).rounded(.down)) ?? maxDelay
    }

    /// The delay with a share of `jitter` that `random` picks: evenly from none to all of it.
    func withJitter(_ delay: UInt64, random: UInt64) -> UInt64 {
        let most = delay.multipliedFullWidth(by: UInt64(min(jitter, 100)))
        // At most 100 %, so the quotient fits.
        let share = UInt64(100).dividingFullWidth(most).quotient
        let (sum, overflows) = delay.addingReportingOverflow(share.multipliedFullWidth(by: random).high)
        return overflows ? .max : sum
    }
}
