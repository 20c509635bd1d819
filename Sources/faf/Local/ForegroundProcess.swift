import Glibc
import LinuxSystem

/// A child in the terminal's foreground, and what it says on its notify socket.
enum ForegroundProcess {
    /// Read by the signal handler alone, written before the handlers are set.
    private nonisolated(unsafe) static var child: pid_t = 0

    /// Starts the program and waits for its end; returns what a shell would: its status, or 128 and the signal.
    static func run(
        _ program: String, _ arguments: [String], _ environment: [String], _ listener: borrowing NotifyListener
    ) throws(Failure) -> Int32 {
        let pid = try start(program, arguments, environment)
        child = pid
        // Keys reach the whole foreground group, the child included: faf outlives them to tell how it ended.
        for number in [SIGINT, SIGQUIT] { signal(number, SIG_IGN) }
        for number in [SIGTERM, SIGHUP] { signal(number) { kill(ForegroundProcess.child, $0) } }

        let terminal = Terminal.standardError
        if let process = (try? ProcessHandle.open(pid: pid)) ?? nil {
            var requests = [
                pollfd(fd: process.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            while requests[0].revents == 0 {
                if poll(&requests, 2, -1) < 0, errno != EINTR { break }
                listener.showAll(terminal)
            }
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        listener.showAll(terminal)
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }

    private static func start(
        _ program: String, _ arguments: [String], _ environment: [String]
    ) throws(Failure) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // As fafd starts it: nothing blocked, nothing ignored, nothing open but 0 to 2, whatever this shell has.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        for name in (try? Files.list("/proc/self/fd")) ?? [] {
            if let number = Int32(name), number > 2 { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        }

        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, nil, &attributes, &argv, &envp)
        guard code == 0 else {
            throw Failure(
                .other, "cannot execute \(program): \(String(cString: strerror(code)))",
                remedy: code == ENOEXEC
                    ? "begin the script with #! and its interpreter"
                    : "look at the script, its interpreter and their mode")
        }
        return pid
    }
}
