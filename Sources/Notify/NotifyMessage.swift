/// What one sd_notify(3) datagram says, as faf understands it. Texts are ranges of the datagram's bytes: nothing is copied.
///
/// The rules are systemd's (`src/core/manager.c`, `service.c`): a message is dropped whole or read line by line; of equal
/// keys the first counts, good or bad; a bad value drops only its line; unknown lines are skipped.
public struct NotifyMessage: Equatable, Sendable {
    /// The largest datagram that is read (PIPE_BUF).
    public static var sizeLimit: Int { 4096 }
    /// Errno values and exit statuses beyond these are bad values.
    static var errnoLimit: UInt64 { 4095 }
    static var exitStatusLimit: UInt64 { 255 }
    /// More bytes than this are no time span.
    static var retryAfterLimit: Int { 96 }

    /// Why a datagram is dropped whole.
    public enum Problem: Error, Equatable, Sendable {
        case empty
        case tooLong
        /// A NUL before the last byte.
        case innerNUL
    }

    /// `18/30`.
    public struct Progress: Equatable, Sendable {
        public var done: UInt64
        public var total: UInt64

        public init(done: UInt64, total: UInt64) {
            self.done = done
            self.total = total
        }
    }

    /// `WATCHDOG=`.
    public enum Watchdog: Equatable, Sendable {
        /// `1`: it lives.
        case ping
        /// It wants to be taken for dead.
        case trigger
    }

    public var isReady = false
    public var isReloading = false
    public var isStopping = false
    /// The sender waits until its descriptor is closed.
    public var isBarrier = false
    /// `STATUS=`, valid UTF-8; empty clears.
    public var status: Range<Int>?
    /// `X_FAF_RESULT=`, valid UTF-8.
    public var result: Range<Int>?
    /// `X_FAF_RETRY_AFTER=`, valid UTF-8: a time span, which is for others to read.
    public var retryAfter: Range<Int>?
    public var errno: Int32?
    public var exitStatus: Int32?
    /// A number that could be a pid; whose it is, is for others to say.
    public var mainPID: Int32?
    public var progress: Progress?
    public var watchdog: Watchdog?
    /// `WATCHDOG_USEC=`, µs.
    public var watchdogSpan: UInt64?
    /// `EXTEND_TIMEOUT_USEC=`, µs.
    public var timeoutExtension: UInt64?

    public init() {}

    public init(_ bytes: UnsafeRawBufferPointer) throws(Problem) {
        guard bytes.count > 0 else { throw .empty }
        guard bytes.count <= NotifyMessage.sizeLimit else { throw .tooLong }
        var end = bytes.count
        if bytes[end - 1] == 0 { end -= 1 }
        for index in 0..<end where bytes[index] == 0 { throw .innerNUL }
        var seen = SeenKeys()
        var start = 0
        while start < end {
            var stop = start
            while stop < end && bytes[stop] != 0x0A && bytes[stop] != 0x0D { stop += 1 }
            read(bytes, start..<stop, &seen)
            start = stop + 1
        }
    }

    /// Keys with a value that came already.
    private struct SeenKeys {
        var status = false
        var result = false
        var retryAfter = false
        var errno = false
        var exitStatus = false
        var mainPID = false
        var progress = false
        var watchdog = false
        var watchdogSpan = false
        var timeoutExtension = false
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ seen: inout SeenKeys) {
        let text = NotifyText(bytes: bytes, range: line)
        if text.isExactly("READY=1") {
            isReady = true
        } else if text.isExactly("RELOADING=1") {
            isReloading = true
        } else if text.isExactly("STOPPING=1") {
            isStopping = true
        } else if text.isExactly("BARRIER=1") {
            isBarrier = true
        } else if let value = text.value(of: "STATUS=") {
            if !seen.status { status = value.isUTF8 ? value.range : nil }
            seen.status = true
        } else if let value = text.value(of: "X_FAF_RESULT=") {
            if !seen.result { result = value.isUTF8 ? value.range : nil }
            seen.result = true
        } else if let value = text.value(of: "X_FAF_RETRY_AFTER=") {
            let fits = value.isUTF8 && value.range.count <= NotifyMessage.retryAfterLimit
            if !seen.retryAfter { retryAfter = fits ? value.range : nil }
            seen.retryAfter = true
        } else if let value = text.value(of: "ERRNO=") {
            if !seen.errno { errno = value.number(upTo: NotifyMessage.errnoLimit) }
            seen.errno = true
        } else if let value = text.value(of: "EXIT_STATUS=") {
            if !seen.exitStatus { exitStatus = value.number(upTo: NotifyMessage.exitStatusLimit) }
            seen.exitStatus = true
        } else if let value = text.value(of: "MAINPID=") {
            if !seen.mainPID {
                let pid = value.number(upTo: UInt64(Int32.max))
                mainPID = pid == 0 ? nil : pid
            }
            seen.mainPID = true
        } else if let value = text.value(of: "X_FAF_PROGRESS=") {
            if !seen.progress { progress = value.progress }
            seen.progress = true
        } else if let value = text.value(of: "WATCHDOG=") {
            if !seen.watchdog { watchdog = value.isExactly("1") ? .ping : value.isExactly("trigger") ? .trigger : nil }
            seen.watchdog = true
        } else if let value = text.value(of: "WATCHDOG_USEC=") {
            if !seen.watchdogSpan { watchdogSpan = value.decimal }
            seen.watchdogSpan = true
        } else if let value = text.value(of: "EXTEND_TIMEOUT_USEC=") {
            if !seen.timeoutExtension { timeoutExtension = value.decimal }
            seen.timeoutExtension = true
        }
    }
}
