import CLinux
import Glibc
import Testing

private struct Outcome: Equatable {
    var problem: faf_check_problem
    /// The real path when it may run, else the path at fault.
    var path: String
    var error: Int32 = 0

    static func == (left: Outcome, right: Outcome) -> Bool {
        left.problem.rawValue == right.problem.rawValue && left.path == right.path && left.error == right.error
    }
}

/// The script check against real files: needs root, for other people's files.
@Suite(.enabled(if: geteuid() == 0, "needs root"))
struct ScriptCheckTests {
    private static let alice: UInt32 = 2001
    private static let bob: UInt32 = 2002

    /// Directories and files that go away with the test.
    private final class Place {
        let base: String

        init() throws {
            // Not /tmp, which is sticky: every directory above counts.
            var template = Array("/var/lib/faft-check.XXXXXX".utf8CString)
            base = try #require(mkdtemp(&template).map { String(cString: $0) })
            chmod(base, 0o755)
        }

        deinit {
            remove(base)
        }

        private func remove(_ path: String) {
            if let directory = opendir(path) {
                while let entry = readdir(directory) {
                    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                    }
                    if name == "." || name == ".." { continue }
                    if entry.pointee.d_type == UInt8(DT_DIR) {
                        remove("\(path)/\(name)")
                    } else {
                        unlink("\(path)/\(name)")
                    }
                }
                closedir(directory)
            }
            rmdir(path)
        }

        @discardableResult
        func directory(_ name: String, mode: mode_t = 0o755, owner: UInt32 = 0) -> String {
            let path = "\(base)/\(name)"
            mkdir(path, 0o755)
            chown(path, owner, owner)
            chmod(path, mode)
            return path
        }

        @discardableResult
        func script(_ name: String, mode: mode_t = 0o755, owner: UInt32 = 0) -> String {
            let path = "\(base)/\(name)"
            let fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o755)
            write(fd, "#!/bin/sh\n", 10)
            close(fd)
            chown(path, owner, owner)
            chmod(path, mode)
            return path
        }

        @discardableResult
        func link(_ name: String, to target: String) -> String {
            symlink(target, "\(base)/\(name)")
            return "\(base)/\(name)"
        }
    }

    private func check(_ path: String, owner: UInt32 = 0, allowed: [String] = []) -> Outcome {
        var real = [CChar](repeating: 1, count: Int(PATH_MAX))
        var culprit = [CChar](repeating: 1, count: Int(PATH_MAX))
        var result = faf_check_result()
        let copies = allowed.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        let list = copies.map { UnsafePointer($0) }
        let problem = faf_check_script(
            path, owner, list, list.count, &real, real.count, &culprit, culprit.count, &result)
        #expect(problem == result.problem)
        let text = problem == 0 ? real : culprit
        if problem == 0 {
            var found = stat()
            #expect(stat(path, &found) == 0 && found.st_ino == result.inode && found.st_dev == result.device)
        }
        return Outcome(
            problem: faf_check_problem(rawValue: problem),
            path: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
            error: result.error)
    }

    private func runs(_ path: String) -> Outcome { Outcome(problem: FAF_CHECK_OK, path: path) }

    /// How many descriptors of this process lead below that directory: other tests open theirs meanwhile.
    private func descriptors(below base: String) -> Int {
        var count = 0
        for number in 0..<1024 {
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let length = readlink("/proc/self/fd/\(number)", &target, target.count)
            guard length > 0 else { continue }
            let text = String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix(base) { count += 1 }
        }
        return count
    }

    @Test func `root's script in root's directories may run`() throws {
        let place = try Place()
        let path = place.script("t")
        #expect(check(path) == runs(path))
        #expect(check(path, owner: Self.bob) == runs(path))
    }

    @Test func `the owner's script in the owner's directory may run, for that owner only`() throws {
        let place = try Place()
        let home = place.directory("home", owner: Self.alice)
        let path = place.script("home/t", owner: Self.alice)
        #expect(check(path, owner: Self.alice) == runs(path))
        #expect(check(path, owner: Self.bob) == Outcome(problem: FAF_CHECK_DIRECTORY_OWNER, path: home))
        #expect(check(path) == Outcome(problem: FAF_CHECK_DIRECTORY_OWNER, path: home))
    }

    @Test func `somebody else's script is refused`() throws {
        let place = try Place()
        let path = place.script("t", owner: Self.bob)
        #expect(check(path) == Outcome(problem: FAF_CHECK_OWNER, path: path))
        #expect(check(path, owner: Self.alice) == Outcome(problem: FAF_CHECK_OWNER, path: path))
    }

    @Test(arguments: [0o775, 0o757, 0o722] as [mode_t])
    func `a script that others may write is refused`(mode: mode_t) throws {
        let place = try Place()
        let path = place.script("t", mode: mode)
        #expect(check(path) == Outcome(problem: FAF_CHECK_WRITABLE, path: path))
    }

    @Test(arguments: [0o4755, 0o2755, 0o6755] as [mode_t])
    func `setuid and setgid are refused`(mode: mode_t) throws {
        let place = try Place()
        let path = place.script("t", mode: mode)
        #expect(check(path) == Outcome(problem: FAF_CHECK_SETUID, path: path))
    }

    @Test func `a script that nobody may execute is refused`() throws {
        let place = try Place()
        let path = place.script("t", mode: 0o644)
        #expect(check(path) == Outcome(problem: FAF_CHECK_NOT_EXECUTABLE, path: path))
    }

    @Test(arguments: [0o775, 0o757, 0o1777] as [mode_t])
    func `the script's own directory must be safe, sticky or not`(mode: mode_t) throws {
        let place = try Place()
        let own = place.directory("d", mode: mode)
        #expect(check(place.script("d/t")) == Outcome(problem: FAF_CHECK_DIRECTORY_WRITABLE, path: own))
    }

    @Test func `a sticky directory of root may be an ancestor, if the next one is safe`() throws {
        let place = try Place()
        place.directory("sticky", mode: 0o1777)
        place.directory("sticky/own")
        place.directory("sticky/alice", owner: Self.alice)
        let open = place.directory("sticky/open", mode: 0o777)
        let again = place.directory("sticky/again", mode: 0o1777)
        place.directory("sticky/again/own")
        let path = place.script("sticky/own/t")
        #expect(check(path) == runs(path))
        let hers = place.script("sticky/alice/t", owner: Self.alice)
        #expect(check(hers, owner: Self.alice) == runs(hers))
        #expect(check(hers).problem == FAF_CHECK_DIRECTORY_OWNER)
        #expect(check(place.script("sticky/open/t")) == Outcome(problem: FAF_CHECK_DIRECTORY_WRITABLE, path: open))
        #expect(
            check(place.script("sticky/again/own/t")) == Outcome(problem: FAF_CHECK_DIRECTORY_WRITABLE, path: again))
        // Sticky, but not root's: its owner may exchange everything in it.
        let theirs = place.directory("theirs", mode: 0o1777, owner: Self.alice)
        place.directory("theirs/own", owner: Self.alice)
        #expect(
            check(place.script("theirs/own/t"), owner: Self.alice)
                == Outcome(problem: FAF_CHECK_DIRECTORY_WRITABLE, path: theirs))
    }

    @Test func `an ancestor of somebody else is refused`() throws {
        let place = try Place()
        let above = place.directory("above", owner: Self.bob)
        place.directory("above/own")
        #expect(check(place.script("above/own/t")) == Outcome(problem: FAF_CHECK_DIRECTORY_OWNER, path: above))
    }

    @Test func `links are followed to the real path`() throws {
        let place = try Place()
        place.directory("releases")
        place.directory("releases/1")
        place.directory("links")
        let path = place.script("releases/1/t")
        place.link("current", to: "releases/1")
        place.link("links/a", to: place.base + "/current/t")
        place.link("links/b", to: "a")
        place.link("links/c", to: "../links/./b")
        #expect(check(place.base + "/current/t") == runs(path))
        #expect(check(place.base + "/links/c") == runs(path))
        #expect(check(place.base + "//links/../current/.//t") == runs(path))
        #expect(check("/../.." + place.base + "/links/b") == runs(path))
    }

    @Test func `the directory of each link counts`() throws {
        let place = try Place()
        let target = place.script("t")
        let open = place.directory("open", mode: 0o777)
        place.link("open/a", to: target)
        place.link("b", to: open + "/a")
        let refused = Outcome(problem: FAF_CHECK_DIRECTORY_WRITABLE, path: open)
        #expect(check(open + "/a") == refused)
        #expect(check(place.base + "/b") == refused)
        // Going through it with `..` counts, too; and sticky helps ancestors, not links.
        #expect(check(open + "/../t") == refused)
        let sticky = place.directory("sticky", mode: 0o1777)
        place.link("sticky/a", to: target)
        #expect(check(sticky + "/a") == Outcome(problem: FAF_CHECK_DIRECTORY_WRITABLE, path: sticky))
    }

    @Test func `what is no regular file is refused`() throws {
        let place = try Place()
        let directory = place.directory("d")
        #expect(check(directory) == Outcome(problem: FAF_CHECK_NOT_REGULAR, path: directory))
        #expect(check("/").problem == FAF_CHECK_NOT_REGULAR)
        let fifo = place.base + "/fifo"
        mkfifo(fifo, 0o755)
        #expect(check(fifo) == Outcome(problem: FAF_CHECK_NOT_REGULAR, path: fifo))
        #expect(check("/dev/null", owner: 0).problem != FAF_CHECK_OK)
    }

    @Test func `what is not there, or not below a directory, is told with its errno`() throws {
        let place = try Place()
        let path = place.script("t")
        #expect(
            check(place.base + "/none") == Outcome(problem: FAF_CHECK_SYSTEM, path: place.base + "/none", error: ENOENT)
        )
        #expect(check(path + "/x") == Outcome(problem: FAF_CHECK_SYSTEM, path: path, error: ENOTDIR))
        #expect(check(path + "/") == Outcome(problem: FAF_CHECK_SYSTEM, path: path, error: ENOTDIR))
        let dangling = place.link("dangling", to: "nowhere")
        #expect(
            check(dangling) == Outcome(problem: FAF_CHECK_SYSTEM, path: place.base + "/nowhere", error: ENOENT))
        #expect(check("t").problem == FAF_CHECK_NOT_ABSOLUTE)
        #expect(check("").problem == FAF_CHECK_NOT_ABSOLUTE)
        #expect(check(place.base + "/" + String(repeating: "x", count: 300)).error == ENAMETOOLONG)
    }

    @Test func `loops and endless paths come to an end`() throws {
        let place = try Place()
        let loop = place.link("loop", to: "loop")
        #expect(check(loop) == Outcome(problem: FAF_CHECK_TOO_MANY_LINKS, path: loop))
        place.link("grow", to: "grow/" + String(repeating: "x/", count: 1000))
        #expect(check(place.base + "/grow").problem == FAF_CHECK_PATH_TOO_LONG)
        #expect(check("/" + String(repeating: "a/", count: 3000)).problem == FAF_CHECK_PATH_TOO_LONG)
        // 40 links are allowed, as the kernel has it; 41 are not.
        let path = place.script("t")
        place.link("l1", to: "t")
        for number in 2...41 { place.link("l\(number)", to: "l\(number - 1)") }
        #expect(check(place.base + "/l40") == runs(path))
        #expect(check(place.base + "/l41").problem == FAF_CHECK_TOO_MANY_LINKS)
    }

    @Test func `allowed directories go by component of the real path`() throws {
        let place = try Place()
        let job = place.directory("job")
        let evil = place.directory("jobs-evil")
        place.directory("job/deep")
        let path = place.script("job/t")
        let deep = place.script("job/deep/t")
        let other = place.script("jobs-evil/t")
        #expect(check(path, allowed: [job]) == runs(path))
        #expect(check(deep, allowed: [job + "//"]) == runs(deep))
        #expect(check(other, allowed: [job]) == Outcome(problem: FAF_CHECK_NOT_ALLOWED, path: other))
        #expect(check(other, allowed: [job, evil]) == runs(other))
        #expect(check(path, allowed: ["/"]) == runs(path))
        #expect(check(path, allowed: [path]).problem == FAF_CHECK_NOT_ALLOWED)
        #expect(check(path, allowed: ["", "job", "srv"]).problem == FAF_CHECK_NOT_ALLOWED)
        place.link("job/out", to: other)
        #expect(check(job + "/out", allowed: [job]) == Outcome(problem: FAF_CHECK_NOT_ALLOWED, path: other))
        #expect(check(job + "/../jobs-evil/t", allowed: [job]).problem == FAF_CHECK_NOT_ALLOWED)
        place.link("jobs-evil/in", to: path)
        #expect(check(evil + "/in", allowed: [job]) == runs(path))
    }

    @Test func `no descriptor is left open`() throws {
        let place = try Place()
        place.script("t")
        place.directory("open", mode: 0o777)
        place.link("loop", to: "loop")
        for _ in 0..<20 {
            for name in ["/t", "/none", "/loop", "/open/x", "/t/x", "/open", ""] { _ = check(place.base + name) }
        }
        #expect(descriptors(below: place.base) == 0)
    }

    @Test func `short buffers are never overrun`() throws {
        let place = try Place()
        let path = place.script("a-script-with-a-name")
        for size in [0, 1, 2, 5, path.utf8.count] {
            var real = [CChar](repeating: 7, count: size + 8)
            var culprit = [CChar](repeating: 7, count: size + 8)
            var result = faf_check_result()
            let problem = faf_check_script(path, 0, nil, 0, &real, size, &culprit, size, &result)
            #expect(problem == FAF_CHECK_PATH_TOO_LONG.rawValue)
            #expect(real[size...].allSatisfy { $0 == 7 } && culprit[size...].allSatisfy { $0 == 7 })
            #expect(size == 0 || culprit[..<size].contains(0) && real[..<size].contains(0))
        }
    }
}
