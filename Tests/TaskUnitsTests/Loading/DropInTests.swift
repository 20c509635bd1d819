import TaskUnits
import Testing
import UnitFile

struct DropInTests {
    /// Loads a unit and tells which files apply, in order. Paths are below the unit directories `/1`, `/2`, `/3`.
    private func order(
        _ name: String, _ paths: [String], other: [String: UnitFilesInMemory.Node] = [:]
    ) throws -> [String] {
        var files = other
        for path in paths { files[path] = .file(Array("[Unit]\nDescription=\(path)".utf8)) }
        let unit = UnitLoader.load(try UnitName(name), from: ["/1", "/2", "/3"], in: UnitFilesInMemory(files))
        #expect(unit.assignments.map(\.assignment.value) == [unit.fragmentPath].compactMap(\.self) + unit.dropInPaths)
        return unit.dropInPaths
    }

    @Test func `drop-ins are sorted by their file names, not by directories`() throws {
        let paths = [
            "/3/a.task", "/3/a.task.d/10.conf", "/1/a.task.d/30.conf", "/2/task.d/20.conf", "/1/a.task.d/2.conf",
            "/1/a.task.d/Z.conf", "/1/a.task.d/a.conf", "/1/a.task.d/ä.conf",
        ]
        #expect(
            try order("a.task", paths) == [
                "/3/a.task.d/10.conf", "/1/a.task.d/2.conf", "/2/task.d/20.conf", "/1/a.task.d/30.conf",
                "/1/a.task.d/Z.conf", "/1/a.task.d/a.conf", "/1/a.task.d/ä.conf",
            ])
    }

    @Test func `of the same file name the higher directory wins, then the more specific name`() throws {
        #expect(
            try order("a-b@i.task", ["/3/a-b@.task", "/3/a-b@i.task.d/x.conf", "/1/a-.task.d/x.conf"])
                == ["/1/a-.task.d/x.conf"])
        let names = ["a-b@i", "a-b@", "a-", "a-@i", "a-@"]
        for index in names.indices {
            let paths = names[index...].map { "/2/\($0).task.d/x.conf" }
            #expect(try order("a-b@i.task", ["/1/a-b@.task", "/1/task.d/x.conf"] + paths) == [paths[0]])
        }
    }

    @Test func `the type-wide directory comes last, however high`() throws {
        #expect(
            try order("a.task", ["/1/a.task", "/1/task.d/x.conf", "/3/a.task.d/x.conf"]) == ["/3/a.task.d/x.conf"])
    }

    @Test func `only names that end in .conf count, hidden ones do not`() throws {
        let names = ["x.conf", ".y.conf", "z.conf~", "w", "v.CONF", "u.conf.bak"]
        #expect(try order("a.task", ["/1/a.task"] + names.map { "/1/a.task.d/\($0)" }) == ["/1/a.task.d/x.conf"])
    }

    @Test(arguments: [UnitFilesInMemory.Node.file([]), .link("/dev/null")])
    func `an empty file or a link to /dev/null hides the others of its name`(node: UnitFilesInMemory.Node) throws {
        let paths = ["/1/a.task", "/2/a.task.d/x.conf", "/2/a.task.d/y.conf"]
        #expect(try order("a.task", paths, other: ["/1/a.task.d/x.conf": node]) == ["/2/a.task.d/y.conf"])
    }

    @Test func `prefixes are those of systemd`() throws {
        let all = [
            "a-b-c@i", "a-b-c@", "a-b-", "a-b-@i", "a-b-@", "a-", "a-@i", "a-@", "a", "a-b", "a-b-c", "-", "a-b-c@j",
            "b-",
        ]
        let paths = all.enumerated().map { "/1/\($1).task.d/\($0 + 10).conf" }
        #expect(try order("a-b-c@i.task", ["/1/a-b-c@.task"] + paths) == Array(paths[..<8]))
        #expect(try order("a-b-c.task", ["/1/a-b-c.task"] + paths) == [paths[2], paths[5], paths[10]])
        #expect(try order("-a.task", ["/1/-a.task", "/1/-.task.d/x.conf"]) == [])
    }

    @Test func `an error skips the rest of a drop-in, and the unit still loads`() throws {
        let unit = UnitLoader.load(
            try UnitName("a.task"), from: ["/1"],
            in: UnitFilesInMemory([
                "/1/a.task": .file(Array("[Unit]\nDescription=a".utf8)),
                "/1/a.task.d/1.conf": .file(Array("[Unit]\nDescription=b\n[Unit\nDescription=c".utf8)),
                "/1/a.task.d/2.conf": .file(Array("[Unit]\nDescription=d".utf8)),
                "/1/a.task.d/3.conf": .unreadable("not yours"),
            ]))
        #expect(unit.loadState == .loaded)
        #expect(unit.assignments.map(\.assignment.value) == ["a", "b", "d"])
        #expect(unit.problems.map(\.path) == ["/1/a.task.d/1.conf", "/1/a.task.d/3.conf"])
        #expect(unit.problems.allSatisfy { $0.problem.isFatal })
    }

    @Test func `each file needs its own section header`() throws {
        let unit = UnitLoader.load(
            try UnitName("a.task"), from: ["/1"],
            in: UnitFilesInMemory([
                "/1/a.task": .file(Array("[Unit]\nDescription=a".utf8)),
                "/1/a.task.d/1.conf": .file(Array("Description=b".utf8)),
            ]))
        #expect(unit.assignments.map(\.assignment.value) == ["a"])
        #expect(unit.problems.count == 1)
    }
}
