import CLinux
import CRecord

/// Forks one shim per request, until fafd closes its end. The shims stay.
func runMother() -> Never {
    // Shims are nobody's children that anybody waits for: their record says how they fared. With every signal blocked
    // from the start no stray one hits a shim before it has its own mask.
    faf_take_signals(1)
    faf_avoid_oom()
    if faf_become_background(FAF_MOTHER_FD + 1) < 0 { faf_exit(1) }
    while true {
        var request: UInt8 = 0
        var gate: Int32 = -1
        var isTruncated: Int32 = 0
        let count = faf_receive(FAF_MOTHER_FD, &request, 1, &gate, &isTruncated)
        if count <= 0 { faf_exit(count == 0 ? 0 : 1) }
        if gate >= 0 && request == UInt8(FAF_MOTHER_FORK) { forkShim(gate) }
        faf_close(gate)
    }
}

private func forkShim(_ gate: Int32) {
    let pid = faf_fork()
    if pid == 0 {
        faf_close(FAF_MOTHER_FD)
        runAttempt(gate: gate)
    }
    if pid < 0 { Gate(fd: gate).fail(StepFailure(FAF_STEP_MOTHER, -pid)) }
}
