internal import CLinux

/// One epoll instance with an eventfd that wakes it. Add and remove from any thread; wait from one.
public final class Poller: Sendable {
    public struct Events: OptionSet, Sendable, Hashable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let readable = Events(rawValue: 1)
        /// Exceptional: cgroupfs files that changed (EPOLLPRI).
        public static let priority = Events(rawValue: 2)
        public static let writable = Events(rawValue: 4)
        public static let error = Events(rawValue: 8)
        public static let hangUp = Events(rawValue: 16)
        /// Reported once, then silent until `watchAgain`, or until removed and added again (EPOLLONESHOT).
        public static let once = Events(rawValue: 1 << 30)
    }

    /// A descriptor that is ready, by the token it was added with.
    public struct Ready: Sendable, Hashable {
        public let token: UInt64
        public let events: Events
    }

    /// The token of the poller's own eventfd; never reported.
    public static let reservedToken = UInt64.max

    private let epoll: OwnedDescriptor
    private let wakeUp: OwnedDescriptor

    public init() throws(SystemError) {
        epoll = OwnedDescriptor(owning: try check(fafd_epoll(), "epoll_create1"))
        wakeUp = OwnedDescriptor(owning: try check(fafd_eventfd(), "eventfd"))
        try check(fafd_epoll_add(epoll.rawValue, wakeUp.rawValue, 1, Poller.reservedToken), "epoll_ctl")
    }

    /// Begins to watch a descriptor, which must be removed before it is closed if copies of it stay open.
    public func add(_ descriptor: Int32, _ events: Events, token: UInt64) throws(SystemError) {
        try check(fafd_epoll_add(epoll.rawValue, descriptor, events.rawValue, token), "epoll_ctl")
    }

    /// For a descriptor that was added already.
    public func watchAgain(_ descriptor: Int32, _ events: Events, token: UInt64) throws(SystemError) {
        try check(fafd_epoll_again(epoll.rawValue, descriptor, events.rawValue, token), "epoll_ctl")
    }

    public func remove(_ descriptor: Int32) { _ = fafd_epoll_remove(epoll.rawValue, descriptor) }

    /// Ends a `wait` that is under way, or the next one.
    public func wake() { _ = fafd_eventfd_signal(wakeUp.rawValue) }

    /// Waits until something is ready, somebody wakes it, or the time is over; `nil`: no limit.
    public func wait(milliseconds: Int32?) throws(SystemError) -> [Ready] {
        var events = [fafd_event](repeating: fafd_event(), count: 64)
        let count = Int(
            try check(
                fafd_epoll_wait(epoll.rawValue, &events, Int32(events.count), milliseconds ?? -1), "epoll_wait"))
        var ready: [Ready] = []
        for event in events.prefix(count) {
            if event.token == Poller.reservedToken {
                _ = fafd_eventfd_drain(wakeUp.rawValue)
            } else {
                ready.append(Ready(token: event.token, events: Events(rawValue: event.events)))
            }
        }
        return ready
    }
}
