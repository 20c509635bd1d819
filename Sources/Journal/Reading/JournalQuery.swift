/// Which entries of the journal are the output of one attempt. All of it is told by journald's trusted fields.
public struct JournalQuery: Sendable, Hashable {
    /// The attempt's cgroup as the hierarchy knows it ("/…/t/17.1"); `nil`: it had none.
    public var cgroup: String?
    /// What journald was told as the unit of writers that it cannot look at; `nil`: it would not have believed it.
    public var unit: String?
    /// 32 hexadecimal digits.
    public var boot: String
    public var uid: UInt32
    public var mainPID: Int32?
    public var identifier: String
    /// Within these µs of CLOCK_REALTIME the process id was the attempt's; `until` `nil`: it still is.
    public var from: UInt64
    public var until: UInt64?

    public init(
        cgroup: String?, unit: String?, boot: String, uid: UInt32, mainPID: Int32?, identifier: String, from: UInt64,
        until: UInt64?
    ) {
        self.cgroup = cgroup
        self.unit = unit
        self.boot = boot
        self.uid = uid
        self.mainPID = mainPID
        self.identifier = identifier
        self.from = from
        self.until = until
    }

    /// Alternatives of fields that must all match.
    ///
    /// A process that has ended before journald comes to its line has no cgroup there any more, only the unit of its
    /// stream; and without that, the stream is known by any other line of it, or by the main process.
    func alternatives(streams known: [String]) -> [[String]] {
        var alternatives = known.map { ["_STREAM_ID=\($0)"] }
        if let cgroup { alternatives.append(["_SYSTEMD_CGROUP=\(cgroup)", "_BOOT_ID=\(boot)"]) }
        if let unit { alternatives.append(["_SYSTEMD_UNIT=\(unit)", "_BOOT_ID=\(boot)"]) }
        if unit == nil, let mainPID {
            alternatives.append([
                "_PID=\(mainPID)", "_BOOT_ID=\(boot)", "_UID=\(uid)", "_TRANSPORT=stdout",
                "SYSLOG_IDENTIFIER=\(identifier)",
            ])
        }
        // Without any match libsystemd would show everything.
        return alternatives.isEmpty ? [["_BOOT_ID=none"]] : alternatives
    }

    func accepts(cgroup found: String?, stream: String?, realtime: UInt64, known: [String]) -> Bool {
        if let stream, known.contains(stream) { return true }
        if let cgroup, let found { return found == cgroup }
        return unit != nil || isInTime(realtime)
    }

    /// Some slack on both sides: the shim's and journald's clocks are read at different moments.
    private func isInTime(_ realtime: UInt64) -> Bool {
        if realtime < from &- min(from, 2_000_000) { return false }
        guard let until else { return true }
        return realtime <= until &+ 30_000_000
    }
}
