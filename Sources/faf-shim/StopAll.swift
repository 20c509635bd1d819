import CLinux
import CRecord

/// Stops every task, each by its own KillSignal= and TimeoutStopSec=, and returns when all have recorded their end
/// (ExecStop= of faf-tasks.service). fafd may run, be stopped, or be killed meanwhile.
///
///     close the subtree: no process more in shims/, no cgroup more in t/   (a fire meanwhile is refused)
///     ask every holder of a record, until there is none                    (asked once more every 5 s: no harm)
///     kill what has no shim, then the mother, until shims/ and t/ are empty
func runStopAll(runtime: UnsafePointer<CChar>?) -> Never {
    let runtime = runtime ?? cString("/run/faf")
    let size = 4096
    guard let pages = faf_map(size) else { faf_exit(1) }
    let room = pages.bindMemory(to: CChar.self, capacity: size)
    let found = faf_read_tree(runtime, room, size)
    let tree: UnsafePointer<CChar>? = found == 0 ? UnsafePointer(room) : nil

    if let tree {
        // A shim makes its record before its cgroup: after this every attempt that has or will get a process has a
        // record to be found by.
        _ = faf_write_in(tree, cString("/t/cgroup.max.descendants"), cString("0"))
        _ = faf_write_in(tree, cString("/shims/pids.max"), cString("0"))
    }
    let request = faf_stop_encode(UInt8(FAF_STOP_SHUTDOWN.rawValue), 0, UInt8(FAF_WHOM_ALL.rawValue), 0)
    let interval: UInt64 = 50_000
    let turnsUntilAsked = 100
    var turn = 0
    while true {
        let held = faf_ask_shims(runtime, turn % turnsUntilAsked == 0 ? request : 0)
        if held < 0 {
            say("faf-shim: cannot look for the records of the tasks: ", to: 2)
            faf_say_error(-held)
            faf_exit(1)
        }
        if turn == 0 { faf_say_count(cString("tasks that were asked to stop:"), held) }
        if held == 0 && isEmpty(tree) { break }
        turn += 1
        faf_sleep(interval)
    }
    faf_exit(0)
}

/// Nobody holds a record any more. What is left in t/ has lost its shim and cannot be stopped in order; what is left in
/// shims/ is the mother, or a shim that was refused its cgroup.
private func isEmpty(_ tree: UnsafePointer<CChar>?) -> Bool {
    guard let tree else { return true }
    if faf_has_processes(tree, cString("/t")) > 0 {
        _ = faf_write_in(tree, cString("/t/cgroup.kill"), cString("1"))
        return false
    }
    if faf_has_processes(tree, cString("/shims")) > 0 {
        // One by one: after cgroup.kill newer kernels kill whatever a later shim clones out of it (fafd_spawn, CLinux).
        faf_kill_processes(tree, cString("/shims"))
        return false
    }
    return true
}
