// faf-shim: the parent of one attempt's script, and what belongs to it.
//
// Embedded Swift without a runtime: no String comparison, no collections of the heap, no Foundation. What waits here
// for weeks beside every task has to be small.

import CLinux
import CRecord

@main struct Shim {
    /// sysexits.h
    static var usageError: Int32 { 64 }

    static func main() {
        switch faf_argument_count() {
        case 2 where isArgument(1, "--mother"): runMother()
        case 2 where isArgument(1, "--version"): say("faf-shim 0.1.0, records 1.0\n", to: 1)
        case 3 where isArgument(1, "--hold"): runHolder(file: faf_argument(2), cgroup: nil)
        case 4 where isArgument(1, "--hold"): runHolder(file: faf_argument(2), cgroup: faf_argument(3))
        case 2 where isArgument(1, "--stop-all"): runStopAll(runtime: nil)
        case 3 where isArgument(1, "--stop-all"): runStopAll(runtime: faf_argument(2))
        default:
            say(
                """
                usage: faf-shim --hold FILE [CGROUP]   make hold/, shims/ and t/ below the cgroup (default: the own one),
                                                       write its path to FILE, and sleep
                       faf-shim --stop-all [DIR]       stop every task with a record below DIR (default: /run/faf), wait
                                                       until all have ended
                       faf-shim --mother               fork shims on request from descriptor 3 (started by fafd)
                       faf-shim --version

                """, to: 2)
            faf_exit(usageError)
        }
    }
}
