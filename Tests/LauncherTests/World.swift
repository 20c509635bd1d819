import Foundation
import Glibc
import LinuxSystem
import Logging
import TaskModel
import Testing

@testable import Launcher

/// Directories, cgroups and scripts of one test, which go with it.
final class World {
    let root: String
    let directories: Directories
    private var next: Int64 = 0

    init() throws {
        // Short: notify sockets lie below it.
        var template = Array("/tmp/faf-l-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(call: "mkdtemp", errno: errno) }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(root, 0o755)
        directories = Directories(runtime: root + "/run", state: root + "/state", logs: root + "/log", units: [])
    }

    /// Call it in a `defer`: a deinit would come as soon as the world is not mentioned any more, too early for launchers.
    func end() {
        if let cgroup { tearDown(cgroup) }
        try? FileManager.default.removeItem(atPath: root)
    }

    /// The subtree that launchers of this world make.
    var cgroup: Cgroup? {
        guard let mount = try? CgroupMount.find(), let state = try? FileStatus.of(path: directories.state) else {
            return nil
        }
        return Cgroup(path: "\(mount.point)/faf-\(state.device)-\(state.inode)")
    }

    private func tearDown(_ cgroup: Cgroup) {
        try? cgroup.kill()
        for _ in 0..<2000 {
            if (try? cgroup.isPopulated()) != true { break }
            usleep(1000)
        }
        do { try cgroup.remove() } catch { Issue.record("\(cgroup.path) stays: \(error)") }
    }

    static var shim: String? {
        if let path = ProcessInfo.processInfo.environment["FAF_SHIM"] { return path }
        let built = #filePath.components(separatedBy: "/Tests/LauncherTests/")[0] + "/.build/debug/faf-shim"
        guard (try? FileStatus.of(path: built))?.kind == .regular else { return nil }
        return built
    }

    func launcher(shim: String? = nil) throws -> Launcher {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return try Launcher(
            directories: directories, shimPath: shim ?? World.shim ?? "/nonexistent", changesUser: true, logger: logger)
    }

    /// A launch of a shell script with this text.
    func launch(
        _ script: String, invocation: InvocationID = .random(), uid: UInt32 = 0,
        change: (inout TaskSettings) -> Void = { _ in }
    ) throws -> Launch {
        next += 1
        let path = "\(root)/\(next).sh"
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o755)
        let status = try #require(try FileStatus.of(path: path))
        var settings = TaskSettings(command: .init(path: path, arguments: [path], expandsEnvironment: false))
        settings.timeoutStop = .microseconds(5_000_000)
        change(&settings)
        let attempt = Attempt(number: 1, invocation: invocation, boot: try #require(BootID(try Machine.bootID())))
        let run = Run(
            id: RunID(rawValue: next), task: "test", parameters: [], settings: settings,
            identity: RunIdentity(uid: uid, gid: uid, groups: [], userName: "u", home: "/", shell: "/bin/sh"),
            rights: RunRights(firedBy: 0, users: [], groups: []),
            script: CheckedScript(
                configuredPath: path, realPath: path, device: status.device, inode: status.inode, owner: 0),
            priority: 10, state: .starting, queuedAt: Timestamp(microseconds: 0), attempts: [attempt])
        return Launch(
            run: run, attempt: attempt, arguments: [path],
            environment: [
                "PATH=/usr/bin:/bin", "NOTIFY_SOCKET=\(directories.notifySockets)/\(invocation)", "ROOT=\(root)",
            ], origin: Array("the row".utf8))
    }

    func exists(_ name: String) -> Bool { (try? FileStatus.of(path: root + "/" + name)) ?? nil != nil }

    func text(_ name: String) -> String? {
        ((try? Files.read(root + "/" + name)) ?? nil).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension Launcher {
    func observation(_ id: InvocationID) -> AttemptObservation? {
        if case .observation(let observation, _, _) = observe(id) { observation } else { nil }
    }

    /// Waits until the attempt's record says so; the observation then.
    func observation(
        _ id: InvocationID, until condition: (AttemptObservation) -> Bool
    ) async throws -> AttemptObservation {
        let deadline = Clocks.boottime + 20_000_000
        while true {
            if let observation = observation(id), condition(observation) { return observation }
            try #require(Clocks.boottime < deadline, "it never came to that: \(observe(id))")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Waits until this is told.
    func happens(_ event: LauncherEvent) async throws {
        while let events = await nextEvents() {
            if events.contains(event) { return }
        }
        Issue.record("the launcher ended before \(event)")
    }

    func clean(_ launch: Launch) {
        clean(launch.attempt.invocation, run: launch.run.id, attempt: launch.attempt.number, cgroup: nil)
    }
}

/// Waits for a fact.
func eventually(_ what: Comment, _ fact: () throws -> Bool) async throws {
    let deadline = Clocks.boottime + 20_000_000
    while try !fact() {
        try #require(Clocks.boottime < deadline, what)
        try await Task.sleep(for: .milliseconds(2))
    }
}

extension Trait where Self == ConditionTrait {
    /// Makes cgroups and changes users, with the real faf-shim.
    static var realShim: Self {
        .enabled("needs root, cgroup v2 and .build/debug/faf-shim") {
            let mount = try CgroupMount.find()
            return geteuid() == 0 && World.shim != nil && mount != nil
        }
    }
}
