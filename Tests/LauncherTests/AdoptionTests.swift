import Glibc
import LinuxSystem
import TaskModel
import Testing

@testable import Launcher

@Suite(.realShim)
struct AdoptionTests {
    @Test func `an attempt outlives its launcher and is stopped by the next one`() async throws {
        let world = try World()
        defer { world.end() }
        let launch = try world.launch("exec sleep 1000")
        let id = launch.attempt.invocation
        var first: Launcher? = try world.launcher()
        try await first?.prepare(launch).go()
        first = nil

        let second = try world.launcher()
        #expect(try second.found() == [id])
        let running = try await second.observation(id) { $0.phase == .started }
        #expect(running.shimPID != nil)
        #expect(second.watch(id))
        #expect(second.watch(id))
        try second.request(id, StopRequest(cause: .kill, uid: 2001))
        try await second.happens(.shimGone(id))
        let end = try #require(second.observation(id))
        #expect(end.phase == .emptied)
        #expect(end.exit == .signaled(signal: 15, coreDumped: false))
        #expect(end.stop == StopRequest(cause: .kill, uid: 2001) || end.stop?.cause == .kill)
        #expect(end.stop?.uid == 2001)
        #expect(end.shimPID == nil)
        #expect(!second.watch(id))
        #expect(throws: StopFailure.noShim) { try second.request(id, StopRequest(cause: .kill, uid: 0)) }
    }

    @Test func `an unwatched attempt can be asked too`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launch = try world.launch("exec sleep 1000")
        try await launcher.prepare(launch).go()
        _ = try await launcher.observation(launch.attempt.invocation) { $0.phase == .started }
        try launcher.request(launch.attempt.invocation, StopRequest(cause: .signal, signal: 9, whom: .all, uid: 0))
        let end = try await launcher.observation(launch.attempt.invocation) { $0.phase == .emptied }
        #expect(end.exit == .signaled(signal: 9, coreDumped: false))
        #expect(end.stop == nil)
        #expect(end.lastSignal?.signal == 9)
    }

    @Test func `each status is an event and the record has the last one`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let say = """
            import os,socket,time
            s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET'])
            s.send(b'READY=1\\nSTATUS=one\\nX_FAF_PROGRESS=1/2')
            time.sleep(1000)
            """
        let launch = try world.launch("exec python3 -c \"\(say)\"", uid: 2001)
        let id = launch.attempt.invocation
        try await launcher.prepare(launch).go()
        #expect(launcher.watch(id))
        _ = try await launcher.observation(id) { $0.status == "one" && $0.isReady }
        #expect(try #require(launcher.observation(id)).progress == Progress(done: 1, total: 2))
        try await launcher.happens(.changed(id))
    }

    @Test func `what an expected attempt does is told once, and at once if it does nothing`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let short = try world.launch("exit 3")
        try await launcher.prepare(short).go()
        launcher.expect(short.attempt.invocation)
        let nobody = InvocationID.random()
        launcher.expect(nobody)
        var told: [LauncherEvent] = []
        while Set(told).count < 2, let events = await launcher.nextEvents() { told += events }
        #expect(Set(told) == [.changed(short.attempt.invocation), .changed(nobody)])
        #expect(told.count == 2)
    }

    @Test func `the last of many changes is told`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let say = """
            import os,socket,time
            s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET'])
            for n in range(300): s.send(b'X_FAF_RESULT=%d' % n); time.sleep(0.0005)
            time.sleep(1000)
            """
        let launch = try world.launch("exec python3 -c \"\(say)\"", uid: 2001)
        let id = launch.attempt.invocation
        try await launcher.prepare(launch).go()
        #expect(launcher.watch(id))
        // Each look comes after an event, and no other does.
        var last: String?
        while last != "299", await launcher.nextEvents() != nil { last = launcher.observation(id)?.resultText }
        #expect(last == "299")
    }

    @Test func `a killed shim is told, and what it left is killed`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launch = try world.launch("trap '' TERM; (trap '' TERM; setsid sleep 1000) & sleep 1000")
        let id = launch.attempt.invocation
        let prepared = try await launcher.prepare(launch)
        try prepared.go()
        _ = try await launcher.observation(id) { $0.phase == .started }
        #expect(launcher.watch(id))
        kill(prepared.shimPID, SIGKILL)
        try await launcher.happens(.shimGone(id))
        let lost = try #require(launcher.observation(id))
        #expect(lost.shimPID == nil)
        #expect(lost.phase == .started)
        #expect(lost.exit == nil)
        let cgroup = Cgroup(path: try #require(launcher.cgroup(of: id)))
        #expect(try cgroup.isPopulated() == true)
        #expect(await launcher.empty(launch.run.id, attempt: 1, cgroup: cgroup.path))
        #expect(try cgroup.isPopulated() == false)
        launcher.clean(launch)
        try await eventually("its cgroup goes") { !cgroup.exists }
        #expect(await launcher.empty(launch.run.id, attempt: 1, cgroup: nil))
    }

    @Test func `stray cgroups go, those with a record or processes stay`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launch = try world.launch("exec sleep 1000")
        try await launcher.prepare(launch).go()
        let tasks = Cgroup(path: try #require(launcher.cgroupRoot)).child("t")
        for name in ["7.1", "8.1"] { try tasks.child(name).make() }
        // The script may not be in its cgroup yet: the record alone protects it.
        launcher.cleanStrayCgroups(keeping: ["8.1"])
        #expect(Set(try tasks.children()) == ["8.1", "\(launch.run.id).1"])
        let next = try world.launcher()
        next.cleanStrayCgroups(keeping: [tasks.path + "/8.1"])
        #expect(Set(try tasks.children()) == ["8.1", "\(launch.run.id).1"])
    }
}

extension AdoptionTests {
    @Test func `cleaning an attempt that never ran spares the cgroup of its successor`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        var launch = try world.launch("exit 0")
        let first = launch.attempt.invocation
        let withheld = try await launcher.prepare(launch)
        withheld.withhold()
        // Not before: a shim that leaves removes its cgroup by name.
        try await eventually("the first shim leaves") { kill(withheld.shimPID, 0) != 0 }
        launch.attempt.invocation = .random()
        let prepared = try await launcher.prepare(launch)
        launcher.clean(first, run: launch.run.id, attempt: 1, cgroup: nil)
        try await Task.sleep(for: .milliseconds(20))
        try prepared.go()
        let end = try await launcher.observation(launch.attempt.invocation) { $0.phase == .emptied }
        #expect(end.exit == .exited(code: 0))
    }
}

extension AdoptionTests {
    @Test func `the subtree that the tasks' unit names is used, also after it has moved`() async throws {
        let world = try World()
        defer { world.end() }
        let mount = try #require(try CgroupMount.find())
        var subtrees: [Cgroup] = []
        defer {
            for subtree in subtrees {
                try? subtree.kill()
                for _ in 0..<2000 where (try? subtree.isPopulated()) == true { usleep(1000) }
                try? subtree.remove()
            }
        }
        func hold(_ name: String) throws -> Cgroup {
            let subtree = Cgroup(path: "\(mount.point)/faf-held-\(getpid())-\(name)")
            subtrees.append(subtree)
            for cgroup in [subtree, subtree.child("hold"), subtree.child("shims"), subtree.child("t")] {
                try cgroup.make()
            }
            try Files.makeDirectories(world.directories.runtime, mode: 0o755)
            try Files.replaceDurably(world.directories.tasksCgroup, with: Array((subtree.path + "\n").utf8))
            return subtree
        }
        let first = try hold("a")
        let launcher = try world.launcher()
        #expect(launcher.cgroupRoot == first.path)
        let launch = try world.launch("exec sleep 1000")
        try await launcher.prepare(launch).go()
        let running = try await launcher.observation(launch.attempt.invocation) { $0.phase == .started }
        #expect(try first.child("t").child("\(launch.run.id).1").processes() == [running.mainPID])

        // The unit is stopped, which kills the mother, and started again elsewhere.
        let second = try hold("b")
        kill(try #require(launcher.mothers.pid), SIGKILL)
        try await eventually("the mother's death is noticed") { launcher.mothers.pid == nil }
        let next = try world.launch("exec sleep 1000")
        let prepared = try await launcher.prepare(next)
        defer { prepared.withhold() }
        #expect(launcher.cgroupRoot == second.path)
        #expect(launcher.cgroup(of: next.attempt.invocation) == "\(second.path)/t/\(next.run.id).1")
        #expect(await launcher.empty(launch.run.id, attempt: 1, cgroup: launcher.cgroup(of: launch.attempt.invocation)))
        let end = try await launcher.observation(launch.attempt.invocation) { $0.phase == .emptied }
        #expect(end.exit == .signaled(signal: 9, coreDumped: false))
    }
}
