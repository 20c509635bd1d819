import CLinux
import CRecord

/// Holds the cgroup subtree of all tasks, asleep.
func runHolder(file: UnsafePointer<CChar>?, cgroup: UnsafePointer<CChar>?) -> Never {
    guard let file else { faf_exit(Shim.usageError) }
    let error = faf_make_subtree(cgroup, file)
    if error < 0 {
        say("faf-shim: cannot prepare the tasks' cgroup subtree, or write its path: ", to: 2)
        faf_say_error(-error)
        faf_exit(1)
    }
    _ = faf_tell_manager(cString("READY=1\nSTATUS=holds the tasks' cgroups"))
    while true { faf_pause() }
}
