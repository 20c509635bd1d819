import CLinux
import CRecord

extension Attempt {
    // `texts`, page by page.
    private static var datagramOffset: Int { 0 }
    private static var datagramSize: Int { NotifyMessage.sizeLimit + 1 }  // one more shows that it was too long
    private static var statusOffset: Int { 8192 }
    private static var resultOffset: Int { 12288 }
    static var textPages: Int { 16384 }

    /// How many are read before anything else gets its turn: a flood must not hide the clocks.
    private static var turn: Int { 256 }

    mutating func readNotifications() {
        guard notify >= 0, let texts else { return }
        var datagram = faf_datagram()
        for _ in 0..<Attempt.turn {
            if faf_receive_datagram(notify, texts + Attempt.datagramOffset, Attempt.datagramSize, &datagram) < 0 {
                return
            }
            let bytes = UnsafeRawBufferPointer(start: texts + Attempt.datagramOffset, count: Int(datagram.length))
            if datagram.is_whole != 0, mayNotify(datagram), let message = try? NotifyMessage(bytes) {
                apply(message, bytes)
            }
            // A barrier, or what was meant to be one: its sender waits for the descriptor to close, whoever it is.
            if datagram.fd_count > 0 { flushTexts() }
            faf_close_datagram(&datagram)
        }
    }

    /// NotifyAccess=. A sender that has gone already counts for `all`: helpers exit before anybody can look at them, and
    /// the socket is this attempt's alone.
    private func mayNotify(_ datagram: faf_datagram) -> Bool {
        guard datagram.uid == core.uid || datagram.uid == 0 else { return false }
        switch core.notify_access {
        case FAF_NOTIFY_MAIN.rawValue, FAF_NOTIFY_EXEC.rawValue:
            return datagram.pid == main && !mainHasEnded
        case FAF_NOTIFY_ALL.rawValue:
            guard datagram.pid > 0 else { return true }
            let belongs = belongs(datagram.pid)
            return belongs == 1 || belongs == -FAF_ESRCH
        default:
            return false
        }
    }

    /// 1: a process of the attempt; 0: of somebody else; -FAF_ESRCH: gone.
    private func belongs(_ pid: Int32) -> Int32 {
        if cgroup >= 0 { return faf_is_in_cgroup(pid, paths.cgroupName, cgroupNameLength) }
        return faf_is_descendant(pid)
    }

    private mutating func apply(_ message: NotifyMessage, _ bytes: UnsafeRawBufferPointer) {
        if let pid = message.mainPID { follow(pid) }
        applyState(message)
        applyClocks(message)
        if let range = message.retryAfter {
            record.retryAfter(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
        if let range = message.status { statusLength = keep(bytes, range, at: Attempt.statusOffset) }
        if let range = message.result { resultLength = keep(bytes, range, at: Attempt.resultOffset) }
        if let value = message.progress { progress = faf_record_progress(done: value.done, total: value.total) }
        guard message.status != nil || message.result != nil || message.progress != nil else { return }
        if limiter.wants(at: faf_boottime()) { flushTexts() }
    }

    /// STOPPING beats READY beats RELOADING. Written at once, and only if something is new.
    private mutating func applyState(_ message: NotifyMessage) {
        let before = said
        if let errno = message.errno {
            said.error = errno
            said.flags |= FAF_SAID_ERRNO.rawValue
        }
        if let status = message.exitStatus {
            said.exit_status = status
            said.flags |= FAF_SAID_EXIT_STATUS.rawValue
        }
        if message.isStopping {
            said.flags |= FAF_SAID_STOPPING.rawValue
        } else if message.isReady {
            if said.flags & FAF_SAID_READY.rawValue == 0 { faf_now(&said.realtime_us, &said.boottime_us) }
            said.flags = (said.flags | FAF_SAID_READY.rawValue) & ~FAF_SAID_RELOADING.rawValue
        } else if message.isReloading {
            said.flags |= FAF_SAID_RELOADING.rawValue
        }
        writeSaid(before)
        if message.isStopping {
            perform(stop.saysStopping(at: faf_boottime()))
        } else if message.isReady {
            stop.clocks.saysReady(at: faf_boottime())
        }
    }

    private mutating func writeSaid(_ before: faf_record_said) {
        if said.flags != before.flags || said.error != before.error || said.exit_status != before.exit_status
            || said.main_pid != before.main_pid
        {
            record.said(said)
        }
    }

    /// MAINPID=: only a living process of the attempt, seen again once its descriptor is held.
    private mutating func follow(_ pid: Int32) {
        guard !mainHasEnded, pid != main, belongs(pid) == 1 else { return }
        let descriptor = faf_pidfd(pid)
        guard descriptor >= 0 else { return }
        guard belongs(pid) == 1, faf_has_ended(descriptor) == 0 else {
            faf_close(descriptor)
            return
        }
        faf_close(mainDescriptor)
        mainDescriptor = descriptor
        main = pid
        let before = said
        said.main_pid = pid
        said.flags |= FAF_SAID_MAIN_PID.rawValue
        writeSaid(before)
    }

    private func keep(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, at offset: Int) -> Int {
        guard let texts, let source = bytes.baseAddress else { return 0 }
        (texts + offset).copyMemory(from: source + range.lowerBound, byteCount: range.count)
        return range.count
    }

    /// Writes what waits: at most 20 times a second, and at once for a barrier or the end.
    mutating func flushTexts() {
        guard limiter.isWaiting, let texts else { return }
        if let length = statusLength {
            record.status(UnsafeRawBufferPointer(start: texts + Attempt.statusOffset, count: length))
        }
        if let length = resultLength {
            record.result(UnsafeRawBufferPointer(start: texts + Attempt.resultOffset, count: length))
        }
        if let progress { record.progress(progress) }
        statusLength = nil
        resultLength = nil
        progress = nil
        limiter.wrote(at: faf_boottime())
    }
}
