import Foundation
import Glibc
import LinuxSystem
import Logging
import ShimProtocol
import TaskModel
import Testing

@testable import Launcher

@Suite(.enabled(if: geteuid() == 0, "makes directories of root"))
struct RecordTests {
    /// Needs no shim: any program will do as long as none is started.
    private func launcher(_ world: World) throws -> Launcher { try world.launcher(shim: "/bin/true") }

    private func record(_ id: InvocationID, _ phase: AttemptObservation.Phase) -> AttemptRecord {
        var observation = AttemptObservation(
            run: RunID(rawValue: 9), number: 1, invocation: id, boot: .random(), phase: phase)
        if phase >= .exited { observation.exit = .exited(code: 4) }
        return AttemptRecord(observation: observation, origin: [1, 2])
    }

    private func write(_ bytes: [UInt8], _ directory: String, _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: directory + "/" + name))
    }

    @Test func `each row of the start-up table is told apart`() throws {
        let world = try World()
        defer { world.end() }
        let launcher = try launcher(world)
        for phase in [AttemptObservation.Phase.gate, .passed, .started, .exited, .emptied] {
            let id = InvocationID.random()
            try write(record(id, phase).encoded(), world.directories.records, id.description)
            guard case .observation(let found, let origin, isEnd: false) = launcher.observe(id) else {
                Issue.record("\(phase): \(launcher.observe(id))")
                continue
            }
            #expect(found.phase == phase)
            #expect(found.shimPID == nil)
            #expect(origin == [1, 2])
            #expect(!launcher.watch(id))
        }
        #expect(launcher.observe(.random()) == .nothing)
        #expect(!launcher.watch(.random()))
    }

    @Test func `a durable end counts where the live record has none`() throws {
        let world = try World()
        defer { world.end() }
        let launcher = try launcher(world)
        let id = InvocationID.random()
        try write(record(id, .passed).encoded(), world.directories.records, id.description)
        try write(record(id, .emptied).encoded(), world.directories.ends, id.description)
        guard case .observation(let found, _, isEnd: true) = launcher.observe(id) else {
            Issue.record("\(launcher.observe(id))")
            return
        }
        #expect(found.exit == .exited(code: 4))
        #expect(try launcher.found() == [id])
    }

    @Test func `a damaged record is named and set aside, unless its end is whole`() throws {
        let world = try World()
        defer { world.end() }
        let launcher = try launcher(world)
        let id = InvocationID.random()
        var bytes = record(id, .started).encoded()
        bytes[30] ^= 1
        try write(bytes, world.directories.records, id.description)
        guard case .damaged(let why) = launcher.observe(id) else {
            Issue.record("\(launcher.observe(id))")
            return
        }
        #expect(why.contains(id.description) && why.contains("head"))
        try write(record(id, .emptied).encoded(), world.directories.ends, id.description)
        guard case .observation(_, _, isEnd: true) = launcher.observe(id) else {
            Issue.record("\(launcher.observe(id))")
            return
        }
        try Files.remove(world.directories.ends + "/\(id)")
        let path = try #require(launcher.setAside(id))
        #expect(path == "\(world.directories.damaged)/\(id)")
        #expect(try Files.read(path, limit: 1 << 20) == bytes)
        #expect(launcher.observe(id) == .nothing)
        #expect(launcher.setAside(id) == nil)
    }

    @Test func `truncated, foreign and newer records are told`() throws {
        let world = try World()
        defer { world.end() }
        let launcher = try launcher(world)
        let (short, foreign, newer) = (InvocationID.random(), InvocationID.random(), InvocationID.random())
        try write(Array(record(short, .passed).encoded().prefix(1000)), world.directories.records, short.description)
        try write(record(short, .passed).encoded(), world.directories.records, foreign.description)
        try write(record(newer, .passed).encoded(major: 2), world.directories.records, newer.description)
        guard case .damaged = launcher.observe(short), case .damaged = launcher.observe(foreign),
            case .newer(let why) = launcher.observe(newer)
        else {
            Issue.record("\(launcher.observe(short)) \(launcher.observe(foreign)) \(launcher.observe(newer))")
            return
        }
        #expect(why.contains("format 2"))
        #expect(launcher.setAside(newer) == nil)
        #expect(try Set(launcher.found()) == [short, foreign, newer])
    }

    @Test func `unfinished names of dead makers go, young ones and strangers' stay`() throws {
        let world = try World()
        defer { world.end() }
        let launcher = try launcher(world)
        let id = InvocationID.random()
        for directory in [world.directories.records, world.directories.ends] {
            try write([1], directory, ".\(id).new")
            try write([1], directory, ".old\(id).new")
            var times = [timeval(tv_sec: 1000, tv_usec: 0), timeval(tv_sec: 1000, tv_usec: 0)]
            utimes(directory + "/.old\(id).new", &times)
        }
        #expect(try launcher.found() == [])
        #expect(try Files.list(world.directories.records) == [".\(id).new"])
        #expect(try Files.list(world.directories.ends) == [".\(id).new"])
    }

    @Test func `names are read strictly, and inotify's leniently`() throws {
        let id = InvocationID.random()
        #expect(RecordName.exact(id.description) == id)
        #expect(RecordName.exact(id.description.uppercased()) == nil || id.description.uppercased() == id.description)
        #expect(RecordName.exact(id.description + "0") == nil)
        #expect(RecordName.exact("") == nil)
        #expect(RecordName.exact(String(repeating: "-", count: 32)) == nil)
        #expect(RecordName.invocation(in: ".\(id).new") == id)
        #expect(RecordName.invocation(in: "new") == nil)
    }

    @Test func `a record is not deleted because it is of a later version`() throws {
        let world = try World()
        defer { world.end() }
        let launcher = try launcher(world)
        let id = InvocationID.random()
        try write(record(id, .passed).encoded(major: 7), world.directories.records, id.description)
        _ = try launcher.found()
        _ = launcher.observe(id)
        #expect(try FileStatus.of(path: world.directories.records + "/\(id)") != nil)
    }
}

@Suite(.enabled(if: geteuid() == 0, "makes directories of root"))
struct LauncherErrorTests {
    @Test func `directories get the modes that keep others out`() throws {
        let world = try World()
        defer { world.end() }
        _ = try world.launcher(shim: "/bin/true")
        let modes: [(String, UInt32)] = [
            (world.directories.records, 0o700), (world.directories.notifySockets, 0o711),
            (world.directories.ends, 0o700),
            (world.directories.inputAndResults, 0o711), (world.directories.damaged, 0o700),
            (world.directories.state, 0o711), (world.directories.runtime, 0o755), (world.directories.logs, 0o700),
        ]
        for (path, mode) in modes { #expect(try FileStatus.of(path: path)?.permissions == mode, "\(path)") }
        chmod(world.directories.records, 0o777)
        _ = try world.launcher(shim: "/bin/true")
        #expect(try FileStatus.of(path: world.directories.records)?.permissions == 0o700)
    }

    @Test func `a directory that others may write is refused by name`() throws {
        let world = try World()
        defer { world.end() }
        mkdir(world.directories.state, 0o777)
        chmod(world.directories.state, 0o777)
        #expect(throws: LauncherError.unsafeDirectory(world.directories.state, uid: 0, mode: 0o777)) {
            _ = try world.launcher(shim: "/bin/true")
        }
        chmod(world.directories.state, 0o755)
        chown(world.directories.state, 2002, 2002)
        #expect(throws: LauncherError.unsafeDirectory(world.directories.state, uid: 2002, mode: 0o755)) {
            _ = try world.launcher(shim: "/bin/true")
        }
    }

    @Test func `a runtime directory too long for socket addresses is refused`() throws {
        let world = try World()
        defer { world.end() }
        var directories = world.directories
        directories.runtime = world.root + "/" + String(repeating: "r", count: 70)
        let error = #expect(throws: LauncherError.self) {
            _ = try Launcher(
                directories: directories, shimPath: "/bin/true", changesUser: true, logger: .init(label: "test"))
        }
        #expect(error == .runtimePathTooLong(directory: directories.runtime, longest: 67))
    }

    @Test func `a missing shim and a wrong tasks file are refused`() throws {
        let world = try World()
        defer { world.end() }
        let missing = #expect(throws: LauncherError.self) { _ = try world.launcher(shim: "/nonexistent/faf-shim") }
        #expect(missing?.description.contains("/nonexistent/faf-shim") == true)
        _ = try world.launcher(shim: "/bin/true")
        try Data("/etc\n".utf8).write(to: URL(fileURLWithPath: world.directories.tasksCgroup))
        #expect(throws: LauncherError.badTasksFile(world.directories.tasksCgroup, content: "/etc")) {
            _ = try world.launcher(shim: "/bin/true")
        }
    }

    @Test(.enabled("needs cgroup v2") { try CgroupMount.find() != nil })
    func `without the tasks' unit a launch is refused with the remedy`() async throws {
        let world = try World()
        defer { world.end() }
        mkdir(world.directories.runtime, 0o755)
        let mount = try #require(try CgroupMount.find())
        let gone = mount.point + "/faf-gone-\(getpid())"
        try Data("\(gone)\n".utf8).write(to: URL(fileURLWithPath: world.directories.tasksCgroup))
        let launcher = try world.launcher(shim: "/bin/true")
        #expect(launcher.cgroupRoot == gone)
        let launch = try world.launch("true")
        let failure = await #expect(throws: LaunchFailure.self) { _ = try await launcher.prepare(launch) }
        #expect(failure?.step == "cgroup")
        #expect(failure?.remedy == "start the tasks' unit: systemctl restart faf-tasks.service")
    }

    @Test func `a mother that dies at once is no shim`() async throws {
        let world = try World()
        defer { world.end() }
        let launcher = try world.launcher(shim: "/bin/true")
        let launch = try world.launch("true")
        let failure = await #expect(throws: LaunchFailure.self) { _ = try await launcher.prepare(launch) }
        #expect(failure?.step == "mother")
        #expect(failure?.errno == EPIPE)
    }
}
