public import TaskModel

/// Something happened to an attempt that is watched. What, its record says.
public enum LauncherEvent: Sendable, Hashable {
    /// Its record was written.
    case changed(InvocationID)
    /// Its shim has ended; it is watched no more.
    case shimGone(InvocationID)
    /// Events were lost: look at every attempt.
    case overflow
}
