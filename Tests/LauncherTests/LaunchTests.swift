import Glibc
import LinuxSystem
import TaskModel
import Testing

@testable import Launcher

@Suite(.realShim)
struct LaunchTests {
    @Test func `an attempt runs after its go and its end is known`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launch = try world.launch("echo \"$0 $#\" > $ROOT/mark; exit 3")
        let id = launch.attempt.invocation
        let prepared = try await launcher.prepare(launch)
        #expect(prepared.shimPID > 0)
        guard case .observation(let atGate, let origin, isEnd: false) = launcher.observe(id) else {
            Issue.record("no record at the gate: \(launcher.observe(id))")
            return
        }
        #expect(atGate.phase == .gate)
        #expect(atGate.shimPID == prepared.shimPID)
        #expect(atGate.run == launch.run.id)
        #expect(atGate.number == 1)
        #expect(atGate.boot == launch.attempt.boot)
        #expect(origin == Array("the row".utf8))
        #expect(launcher.cgroup(of: id) == "\(launcher.cgroupRoot ?? "")/t/\(launch.run.id).1")
        #expect(!world.exists("mark"))

        try prepared.go()
        let end = try await launcher.observation(id) { $0.phase == .emptied && $0.shimPID == nil }
        #expect(end.exit == .exited(code: 3))
        #expect(end.startedAt != nil)
        #expect(end.endedAt != nil)
        #expect(world.text("mark") == "\(world.root)/1.sh 0\n")
        #expect(try launcher.found() == [id])

        launcher.clean(launch)
        try await eventually("its end goes") { launcher.observe(id) == .nothing }
        #expect(try launcher.found() == [])
        for directory in [world.directories.records, world.directories.ends, world.directories.notifySockets] {
            #expect(try Files.list(directory) == [])
        }
        let cgroup = try #require(launcher.cgroupRoot)
        try await eventually("its cgroup goes") { try Cgroup(path: cgroup + "/t").children() == [] }
    }

    @Test func `the durable end is read when the live record has gone`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launch = try world.launch("kill -9 $$")
        let id = launch.attempt.invocation
        try await launcher.prepare(launch).go()
        _ = try await launcher.observation(id) { $0.phase == .emptied && $0.shimPID == nil }
        try Files.remove(world.directories.records + "/\(id)")
        guard case .observation(let end, let origin, isEnd: true) = launcher.observe(id) else {
            Issue.record("no end: \(launcher.observe(id))")
            return
        }
        #expect(end.exit == .signaled(signal: 9, coreDumped: false))
        #expect(origin == Array("the row".utf8))
        #expect(try launcher.found() == [id])
    }

    @Test(arguments: [true, false])
    func `a withheld go never runs and leaves nothing`(explicitly: Bool) async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launch = try world.launch("touch $ROOT/mark")
        let id = launch.attempt.invocation
        var prepared: PreparedAttempt? = try await launcher.prepare(launch)
        let shim = try #require(prepared).shimPID
        if explicitly {
            prepared?.withhold()
            let failure = #expect(throws: LaunchFailure.self) { try prepared?.go() }
            #expect(failure?.step == "gate")
        }
        prepared = nil
        try await eventually("the shim leaves") { kill(shim, 0) != 0 }
        #expect(launcher.observe(id) == .nothing)
        #expect(!world.exists("mark"))
        let cgroup = try #require(launcher.cgroupRoot)
        #expect(try Cgroup(path: cgroup + "/t").children() == [])
    }

    @Test func `of two launches with one invocation id only one gets a shim`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let id = InvocationID.random()
        let first = try world.launch("echo x >> $ROOT/mark", invocation: id)
        let second = try world.launch("echo x >> $ROOT/mark", invocation: id)
        let prepared = try await launcher.prepare(first)
        let failure = await #expect(throws: LaunchFailure.self) { _ = try await launcher.prepare(second) }
        #expect(failure?.step == "record")
        #expect(failure?.errno == EEXIST)
        try prepared.go()
        _ = try await launcher.observation(id) { $0.phase == .emptied }
        #expect(world.text("mark") == "x\n")
    }

    @Test func `a large launch goes through memory`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        var launch = try world.launch("printf %s \"$1\" | wc -c > $ROOT/mark")
        launch.arguments.append(String(repeating: "x", count: 100_000))
        launch.origin = [UInt8](repeating: 7, count: 1 << 20)
        try await launcher.prepare(launch).go()
        _ = try await launcher.observation(launch.attempt.invocation) { $0.phase == .emptied }
        #expect(world.text("mark") == "100000\n")
        guard case .observation(_, let origin, _) = launcher.observe(launch.attempt.invocation) else { return }
        #expect(origin == launch.origin)
    }

    @Test func `the script has the run's ids, limits and cgroup, not fafd's`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launch = try world.launch(
            "id -u; id -g; ulimit -Sn; umask; cat /proc/self/cgroup | grep ^0; ls /proc/self/fd | wc -l", uid: 2001)
        try await launcher.prepare(launch).go()
        let end = try await launcher.observation(launch.attempt.invocation) { $0.phase == .emptied }
        #expect(end.exit == .exited(code: 0))
        let output = world.text("log/\(launch.run.id).log") ?? ""
        let lines = output.split(separator: "\n")
        #expect(lines.prefix(4) == ["2001", "2001", "1024", "0022"])
        #expect(lines.count == 6 && lines[4].hasSuffix("/t/\(launch.run.id).1"), "\(output)")
    }

    @Test func `a launch that cannot be written down is refused by name`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        var launch = try world.launch("true")
        launch.environment.append("SECRET=a\0b")
        let refused = launch
        let failure = await #expect(throws: LaunchFailure.self) { _ = try await launcher.prepare(refused) }
        #expect(failure?.step == "specification")
        #expect(
            failure?.message
                == "the attempt cannot be launched: the environment variable SECRET contains a NUL character")
    }

    @Test func `eight at once all run`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launches = try (0..<64).map { _ in try world.launch("exit 5") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for launch in launches {
                group.addTask {
                    try await launcher.prepare(launch).go()
                    let end = try await launcher.observation(launch.attempt.invocation) { $0.phase == .emptied }
                    #expect(end.exit == .exited(code: 5))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `two hundred launches leave no descriptor open`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        func launchOne() async throws {
            let launch = try world.launch("exit 0")
            let prepared = try await launcher.prepare(launch)
            try prepared.go()
            _ = launcher.watch(launch.attempt.invocation)
            _ = try await launcher.observation(launch.attempt.invocation) { $0.phase == .emptied && $0.shimPID == nil }
            launcher.clean(launch)
        }
        try await launchOne()
        let before = try Files.list("/proc/self/fd").count
        for _ in 0..<200 { try await launchOne() }
        // Other tests of this process come and go, but one leaked per launch would be 200.
        #expect(try Files.list("/proc/self/fd").count < before + 60)
    }
}

@Suite(.realShim)
struct MotherTests {
    @Test func `a dead mother is replaced`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let first = try world.launch("exec sleep 1000")
        try await launcher.prepare(first).go()
        let mother = try #require(launcher.mothers.pid)
        kill(mother, SIGKILL)
        try await eventually("its death is noticed") { launcher.mothers.pid == nil }
        #expect(kill(mother, 0) != 0)  // reaped
        let second = try world.launch("exit 0")
        try await launcher.prepare(second).go()
        _ = try await launcher.observation(second.attempt.invocation) { $0.phase == .emptied }
        #expect(launcher.mothers.pid != mother)
        #expect(try #require(launcher.observation(first.attempt.invocation)).shimPID != nil)
    }

    @Test func `a mother that hangs is given up, and leaves when she wakes`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        try await launcher.prepare(try world.launch("exit 0")).withhold()
        let mother = try #require(launcher.mothers.pid)
        kill(mother, SIGSTOP)
        launcher.mothers.abandon()
        try await launcher.prepare(try world.launch("exit 0")).withhold()
        #expect(launcher.mothers.pid != mother)
        kill(mother, SIGCONT)
        try await eventually("she has left") { kill(mother, 0) != 0 }
    }

    @Test func `a launch in flight fails over to a new mother`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        try await launcher.prepare(try world.launch("exit 0")).go()
        let mother = try #require(launcher.mothers.pid)
        kill(mother, SIGSTOP)
        let launch = try world.launch("exit 6")
        let prepared = Task { try await launcher.prepare(launch) }
        try await Task.sleep(for: .milliseconds(50))
        kill(mother, SIGKILL)
        try await prepared.value.go()
        let end = try await launcher.observation(launch.attempt.invocation) { $0.phase == .emptied }
        #expect(end.exit == .exited(code: 6))
    }

    @Test func `a cancelled launch never runs`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        try await launcher.prepare(try world.launch("exit 0")).go()
        let mother = try #require(launcher.mothers.pid)
        kill(mother, SIGSTOP)
        let launch = try world.launch("touch $ROOT/mark")
        let prepared = Task { try await launcher.prepare(launch) }
        try await Task.sleep(for: .milliseconds(20))
        prepared.cancel()
        let failure = await #expect(throws: LaunchFailure.self) { _ = try await prepared.value }
        #expect(failure?.errno == ErrorNumber.cancelled)
        kill(mother, SIGCONT)
        let next = try world.launch("exit 0")
        try await launcher.prepare(next).go()
        _ = try await launcher.observation(next.attempt.invocation) { $0.phase == .emptied }
        #expect(launcher.observe(launch.attempt.invocation) == .nothing)
        #expect(!world.exists("mark"))
    }

    @Test func `the mother and her shims are born in shims, the script in its own cgroup`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher()
        let launch = try world.launch("exec sleep 1000")
        let prepared = try await launcher.prepare(launch)
        try prepared.go()
        let running = try await launcher.observation(launch.attempt.invocation) { $0.phase == .started }
        let root = Cgroup(path: try #require(launcher.cgroupRoot))
        let shims = try root.child("shims").processes()
        #expect(Set(shims) == Set([try #require(launcher.mothers.pid), prepared.shimPID]))
        #expect(try root.child("t").child("\(launch.run.id).1").processes() == [running.mainPID])
    }

    @Test func `the mother leaves with the launcher, the attempt stays`() async throws {
        let world = try World()
        defer { world.end() }
        var launcher: Launcher? = try world.launcher()
        let launch = try world.launch("exec sleep 1000")
        try await launcher?.prepare(launch).go()
        let mother = try #require(launcher?.mothers.pid)
        let run = Task { [launcher] in await launcher?.run() }
        run.cancel()
        await run.value
        try await eventually("the mother leaves") { kill(mother, 0) != 0 }
        let failure = await #expect(throws: LaunchFailure.self) { _ = try await launcher?.prepare(launch) }
        #expect(failure?.errno == ErrorNumber.cancelled)
        launcher = nil
        let next = try world.launcher()
        #expect(try #require(next.observation(launch.attempt.invocation)).shimPID != nil)
    }
}
