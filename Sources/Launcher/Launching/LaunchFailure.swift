internal import LinuxSystem

/// An attempt that was not launched, and for certain never ran: which step failed, why, and what to do.
public struct LaunchFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The failing step's name (`record`, `cgroup`, `mother`, …).
    public var step: String
    /// errno(3); 0 where the kernel had no say.
    public var errno: Int32
    public var message: String
    public var remedy: String
    /// faf-tasks.service is stopped, or being stopped.
    public var isTasksUnitDown: Bool

    public init(step: String, errno: Int32, message: String, remedy: String, isTasksUnitDown: Bool = false) {
        self.step = step
        self.errno = errno
        self.message = message
        self.remedy = remedy
        self.isTasksUnitDown = isTasksUnitDown
    }

    public var description: String { "\(message); \(remedy)" }
}

extension LaunchFailure {
    /// A step of the shim, or of fafd before it, that the kernel refused.
    static func step(_ step: String, errno: Int32, isDelegated: Bool, isStopping: Bool = false) -> LaunchFailure {
        if isStopping {
            return LaunchFailure(
                step: step, errno: errno, message: "faf-tasks.service is being stopped, so nothing new is started",
                remedy: "start it again when it has stopped: systemctl start faf-tasks.service", isTasksUnitDown: true)
        }
        let why = "\(SystemError.text(of: errno)) (\(SystemError.name(of: errno)))"
        let what =
            switch step {
            case "specification": "the shim did not understand its launch specification"
            case "record": "the attempt's record could not be made"
            case "notify-socket": "the attempt's notify socket could not be made"
            case "cgroup": "the attempt's cgroup could not be made"
            case "io-directory": "the directory for input and results could not be made"
            case "mother": "faf-shim could not be started"
            case "gate": "the shim was gone before its go"
            default: "the attempt's step \"\(step)\" failed"
            }
        return LaunchFailure(
            step: step, errno: errno, message: "\(what): \(why)",
            remedy: remedy(step: step, errno: errno, isDelegated: isDelegated),
            isTasksUnitDown: isDelegated && isMissing(step, errno))
    }

    private static func isMissing(_ step: String, _ errno: Int32) -> Bool {
        let noDevice: Int32 = 19  // ENODEV: the cgroup was removed while it was open
        return step == "cgroup" && (errno == ErrorNumber.notFound || errno == noDevice)
    }

    private static func remedy(step: String, errno: Int32, isDelegated: Bool) -> String {
        switch (step, errno) {
        case _ where isDelegated && isMissing(step, errno):
            "start the tasks' unit: systemctl restart faf-tasks.service"
        case ("record", ErrorNumber.exists): "this attempt has a shim already; look at it with faf list"
        case (_, ErrorNumber.noSpace): "free space or inodes on the file systems of faf's directories"
        case (_, ErrorNumber.readOnly): "mount the file systems of faf's directories writable"
        case (_, ErrorNumber.tooManyOpen): "raise LimitNOFILE= of fafd.service"
        case (_, ErrorNumber.tooManyOpenInAll): "raise fs.file-max"
        case (_, ErrorNumber.noMemory), (_, ErrorNumber.again): "free memory, or raise TasksMax= and pid limits"
        case ("mother", ErrorNumber.timedOut): "look at the load of the machine and fire again"
        case ("specification", _): "restart fafd, so that fafd and faf-shim are of one version"
        default: "look at the log of fafd and fire again"
        }
    }
}
