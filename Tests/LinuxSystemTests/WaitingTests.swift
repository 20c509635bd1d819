import Glibc
import Testing

@testable import LinuxSystem

struct WaitingTests {
    @Test func `a poller tells what is ready and can be woken`() throws {
        let poller = try Poller()
        let pair = try UnixSocket.pair(.stream)
        try poller.add(pair.first.rawValue, [.readable, .once], token: 7)
        #expect(try poller.wait(milliseconds: 0).isEmpty)
        try pair.second.send([1])
        #expect(try poller.wait(milliseconds: 1000) == [.init(token: 7, events: .readable)])
        #expect(try poller.wait(milliseconds: 0).isEmpty)
        poller.wake()
        #expect(try poller.wait(milliseconds: nil).isEmpty)
    }

    @Test func `inotify names the files that changed`() throws {
        let directory = try TemporaryDirectory()
        let inotify = try Inotify()
        try inotify.watch(directory.path, [.modified, .movedTo, .onlyDirectory])
        _ = try directory.write("a", "1")
        try Files.rename(directory.path + "/a", to: directory.path + "/b")
        let names = try inotify.events().map(\.name)
        #expect(names == ["a", "b"])
        let none = try inotify.events()
        #expect(none.isEmpty)
    }

    @Test func `a cut inotify buffer is read as far as it goes`() {
        var events: [Inotify.Event] = []
        let whole: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 97, 0, 0, 0]
        for length in 0...whole.count {
            events = []
            Inotify.parse(Array(whole.prefix(length)), into: &events)
            #expect(events.count == (length == whole.count ? 1 : 0))
        }
        #expect(events == [Inotify.Event(watch: 1, mask: .modified, name: "a")])
    }

    @Test func `a pidfd outlives the number and tells the end`() throws {
        let pid = try start(["/bin/sleep", "1000"])
        guard let process = try ProcessHandle.open(pid: pid) else { Issue.record("not there"); return }
        #expect(try process.hasEnded() == false)
        try process.signal(SIGKILL)
        #expect(try process.descriptor.waitUntilReadable(milliseconds: 5000))
        #expect(try process.hasEnded())
        #expect(try process.reap())
        #expect(throws: SystemError(call: "pidfd_send_signal", errno: ESRCH)) { try process.signal(SIGTERM) }
    }

    @Test func `a program is spawned with nothing but its socket`() throws {
        let program = try Files.open("/bin/sleep", .pathOnly)
        let pair = try UnixSocket.pair(.stream)
        let leak = open("/dev/null", O_RDONLY)  // not close-on-exec: inherited or forgotten
        defer { close(leak) }
        let process = try ProcessHandle.spawn(
            program: program, name: "sleep", argument: "1000", socket: pair.second, cgroup: nil)
        let proc = "/proc/\(process.pid)"
        // The loader opens libraries first.
        let expected = ["0", "1", "2", "3"]
        for _ in 0..<5000 where try Files.list(proc + "/fd").sorted() != expected { usleep(1000) }
        #expect(try Files.list(proc + "/fd").sorted() == expected)
        #expect(try Files.read(proc + "/environ") == [])
        #expect(try Files.read(proc + "/cmdline") == Array("sleep\01000\0".utf8))
        let status = String(decoding: try Files.read(proc + "/status") ?? [], as: UTF8.self).split(separator: "\n")
        for set in ["SigBlk", "SigIgn", "SigCgt"] { #expect(status.contains("\(set):\t0000000000000000")) }
        #expect(getsid(process.pid) == process.pid)
        try process.signal(SIGKILL)
        #expect(try process.descriptor.waitUntilReadable(milliseconds: 5000))
        #expect(try process.reap())
    }

    @Test func `a spawn that cannot execute says so`() throws {
        let directory = try TemporaryDirectory()
        let program = try Files.open(try directory.write("x", "no program", mode: 0o755), .pathOnly)
        let pair = try UnixSocket.pair(.packet)
        let failure = #expect(throws: SpawnFailure.self) {
            _ = try ProcessHandle.spawn(
                program: program, name: "x", argument: "--mother", socket: pair.second, cgroup: nil)
        }
        #expect(failure?.step == .exec)
        #expect(failure?.errno == ENOEXEC)
    }

    @Test func `the machine has a name and a boot`() throws {
        #expect(try Machine.bootID().utf8.count == 36)
        #expect(try !Machine.hostname().isEmpty)
        #expect(try !Machine.kernelRelease().isEmpty)
        #expect(Clocks.boottime > 0)
        #expect(Clocks.realtime > 1_600_000_000_000_000)
    }
}
