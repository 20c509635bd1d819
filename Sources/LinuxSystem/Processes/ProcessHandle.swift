internal import CLinux

/// A process by its pidfd: once opened it means this process and no later one with the same number (pidfd_open(2)).
/// Whoever opens one by number proves afterwards whose it is.
public struct ProcessHandle: ~Copyable, Sendable {
    public let pid: Int32
    /// Readable as soon as the process has ended.
    public let descriptor: OwnedDescriptor

    /// `nil`: no such process.
    public static func open(pid: Int32) throws(SystemError) -> ProcessHandle? {
        let descriptor = fafd_pidfd_open(pid)
        if descriptor == -ErrorNumber.noProcess || descriptor == -ErrorNumber.invalid { return nil }
        return ProcessHandle(pid: pid, descriptor: OwnedDescriptor(owning: try check(descriptor, "pidfd_open")))
    }

    init(pid: Int32, descriptor: consuming OwnedDescriptor) {
        self.pid = pid
        self.descriptor = descriptor
    }

    /// Sends a signal as kill(2) does.
    public func signal(_ signal: Int32) throws(SystemError) {
        try check(fafd_pidfd_signal(descriptor.rawValue, signal), "pidfd_send_signal")
    }

    /// Sends SIGRTMIN + `offset` with a 64-bit value (SI_QUEUE).
    public func queue(realTimeSignal offset: Int32, value: UInt64) throws(SystemError) {
        try check(fafd_pidfd_queue(descriptor.rawValue, offset, value), "pidfd_send_signal")
    }

    public func hasEnded() throws(SystemError) -> Bool { try descriptor.waitUntilReadable(milliseconds: 0) }

    /// Takes an ended child's status so that it does not stay a zombie; true if it is gone.
    @discardableResult
    public func reap() throws(SystemError) -> Bool { try check(fafd_reap(descriptor.rawValue), "waitid") == 1 }

    /// Gives up ownership of the pidfd.
    public consuming func release() -> Int32 { descriptor.release() }
}
