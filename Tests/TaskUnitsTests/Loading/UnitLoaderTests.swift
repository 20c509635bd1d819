import TaskUnits
import Testing
import UnitFile

struct UnitLoaderTests {
    static let directories = ["/etc/faf/units", "/run/faf/units", "/usr/lib/faf/units"]

    private func load(_ name: String, _ files: [String: UnitFilesInMemory.Node]) throws -> LoadedUnit {
        UnitLoader.load(try UnitName(name), from: Self.directories, in: UnitFilesInMemory(files))
    }

    /// A file with one assignment that names it.
    private func file(_ text: String) -> UnitFilesInMemory.Node { .file(Array("[Unit]\nDescription=\(text)\n".utf8)) }

    private func values(_ unit: LoadedUnit) -> [String] { unit.assignments.map(\.assignment.value) }

    // MARK: The unit file

    @Test func `the highest directory replaces the others as a whole`() throws {
        let unit = try load(
            "a.task", ["/usr/lib/faf/units/a.task": file("lib"), "/etc/faf/units/a.task": file("etc")])
        #expect(unit.loadState == .loaded)
        #expect(unit.fragmentPath == "/etc/faf/units/a.task")
        #expect(values(unit) == ["etc"])
    }

    @Test func `what is nowhere is not found`() throws {
        let unit = try load("a.task", ["/etc/faf/units/b.task": file("b")])
        #expect(unit.loadState == .notFound)
        #expect(unit.fragmentPath == nil)
    }

    @Test func `a drop-in alone makes no unit`() throws {
        #expect(try load("a.task", ["/etc/faf/units/a.task.d/x.conf": file("x")]).loadState == .notFound)
    }

    @Test func `an instance is made of its template`() throws {
        let unit = try load("a@i.task", ["/usr/lib/faf/units/a@.task": file("template")])
        #expect(unit.loadState == .loaded)
        #expect(unit.name.text == "a@i.task")
        #expect(unit.fragmentPath == "/usr/lib/faf/units/a@.task")
    }

    @Test func `a file of the instance wins over the template, even from a lower directory`() throws {
        let unit = try load(
            "a@i.task", ["/etc/faf/units/a@.task": file("template"), "/usr/lib/faf/units/a@i.task": file("instance")])
        #expect(values(unit) == ["instance"])
    }

    @Test(arguments: [UnitFilesInMemory.Node.file([]), .link("/dev/null"), .link("../../../dev/null")])
    func `an empty file or a link to /dev/null masks`(node: UnitFilesInMemory.Node) throws {
        let unit = try load(
            "a.task",
            [
                "/etc/faf/units/a.task": node, "/usr/lib/faf/units/a.task": file("lib"),
                "/etc/faf/units/a.task.d/x.conf": file("x"),
            ])
        #expect(unit.loadState == .masked)
        #expect(unit.fragmentPath == "/etc/faf/units/a.task")
        #expect(unit.assignments.isEmpty)
    }

    @Test func `links through other links mask too`() throws {
        let unit = try load("a.task", ["/etc/faf/units/a.task": .link("/opt/x"), "/opt/x": .link("/dev/null")])
        #expect(unit.loadState == .masked)
    }

    @Test func `a broken unit file is an error, with its position`() throws {
        let unit = try load("a.task", ["/etc/faf/units/a.task": .file(Array("[Unit]\nDescription=x\n[Task".utf8))])
        #expect(unit.loadState == .error)
        #expect(unit.problems.map(\.path) == ["/etc/faf/units/a.task"])
        #expect(unit.problems.map(\.problem.position) == [Position(line: 3, column: 1)])
        #expect(unit.sources.map(\.text) == ["[Unit]\nDescription=x\n[Task"])
    }

    @Test func `a file that must not be read is an error`() throws {
        let unit = try load("a.task", ["/etc/faf/units/a.task": .unreadable("writable by others")])
        #expect(unit.loadState == .error)
        #expect(unit.problems.map(\.problem.message) == ["writable by others"])
    }

    @Test func `could not look is not the same as not there`() throws {
        let unit = try load("a.task", ["/etc/faf/units": .unreadable("permission denied")])
        #expect(unit.loadState == .error)
        #expect(unit.problems.map(\.path) == ["/etc/faf/units"])
    }

    @Test func `a directory that could not be read is a problem of every unit`() throws {
        let unit = try load(
            "a.task", ["/etc/faf/units": .unreadable("no"), "/usr/lib/faf/units/a.task": file("lib")])
        #expect(unit.problems.map(\.path) == ["/etc/faf/units"])
        #expect(unit.problems.allSatisfy { $0.problem.isFatal })
    }

    @Test func `nothing stands in for a link that could not be looked at`() throws {
        struct Broken: UnitFileSystem {
            let base: UnitFilesInMemory
            func names(in directory: String) throws(UnitFileSystemError) -> [String]? { try base.names(in: directory) }
            func bytes(of path: String) throws(UnitFileSystemError) -> [UInt8]? { try base.bytes(of: path) }
            func linkTarget(of path: String) throws(UnitFileSystemError) -> String? {
                if path == "/1/a.task" { throw UnitFileSystemError(path: path, message: "I/O error", remedy: "") }
                return nil
            }
        }
        let files = Broken(base: UnitFilesInMemory(["/1/a.task": file("1"), "/2/a.task": file("2")]))
        let unit = UnitLoader.load(try UnitName("a.task"), from: ["/1", "/2"], in: files)
        #expect(unit.loadState == .error)
        #expect(unit.problems.map(\.path) == ["/1/a.task"])
    }

    @Test func `skipped lines are told with their file`() throws {
        let unit = try load(
            "a.task", ["/etc/faf/units/a.task": .file(Array("x=1\n[Unit]\n".utf8)), "/etc/faf/units/b.task": file("b")])
        #expect(unit.loadState == .loaded)
        #expect(unit.problems.map(\.problem.isFatal) == [false])
    }

    // MARK: Links

    @Test func `a link to another name is an alias, drop-ins of both apply`() throws {
        let files: [String: UnitFilesInMemory.Node] = [
            "/usr/lib/faf/units/a.task": file("a"), "/etc/faf/units/b.task": .link("/usr/lib/faf/units/a.task"),
            "/etc/faf/units/a.task.d/1.conf": file("of a"), "/etc/faf/units/b.task.d/2.conf": file("of b"),
        ]
        for name in ["a.task", "b.task"] {
            let unit = try load(name, files)
            #expect(unit.name.text == "a.task")
            #expect(values(unit) == ["a", "of a", "of b"])
        }
    }

    @Test func `an alias is taken from the highest directory of its name`() throws {
        let unit = try load(
            "b.task",
            [
                "/usr/lib/faf/units/a.task": file("lib"), "/etc/faf/units/a.task": file("etc"),
                "/usr/lib/faf/units/b.task": .link("a.task"),
            ])
        #expect(values(unit) == ["etc"])
    }

    @Test func `templates are aliased with their instances`() throws {
        let files: [String: UnitFilesInMemory.Node] = [
            "/etc/faf/units/a@.task": file("a"), "/etc/faf/units/b@.task": .link("a@.task"),
            "/etc/faf/units/c@i.task": .link("a@.task"), "/etc/faf/units/b@i.task.d/1.conf": file("b@i"),
        ]
        #expect(try load("b@i.task", files).name.text == "a@i.task")
        #expect(try values(load("b@i.task", files)) == ["a", "b@i"])
        #expect(try load("c@i.task", files).name.text == "a@i.task")
        #expect(try load("c@j.task", files).loadState == .notFound)
    }

    @Test func `a link to anywhere else is read through`() throws {
        let unit = try load("a.task", ["/etc/faf/units/a.task": .link("/opt/b.task"), "/opt/b.task": file("opt")])
        #expect(unit.name.text == "a.task")
        #expect(unit.fragmentPath == "/etc/faf/units/a.task")
        #expect(values(unit) == ["opt"])
    }

    @Test(arguments: ["a@.task", "a.service", "a@i.task", "b.task"])
    func `a link that cannot be an alias is as good as not there`(target: String) throws {
        let unit = try load(
            "b.task", ["/etc/faf/units/b.task": .link(target), "/usr/lib/faf/units/b.task": file("lib")])
        #expect(values(unit) == ["lib"])
    }

    @Test func `links in a circle and into nothing make no unit`() throws {
        let files: [String: UnitFilesInMemory.Node] = [
            "/etc/faf/units/a.task": .link("b.task"), "/etc/faf/units/b.task": .link("a.task"),
            "/etc/faf/units/c.task": .link("missing.task"), "/etc/faf/units/d.task": .link("/opt/missing"),
            "/etc/faf/units/e.task": .link("/opt/e"), "/opt/e": .link("/opt/f"), "/opt/f": .link("/opt/e"),
        ]
        for name in ["a", "b", "c", "d", "e"] {
            #expect(try load("\(name).task", files).loadState == .notFound, "\(name)")
        }
    }

    // MARK: Names

    @Test func `all names are listed once`() {
        let files = UnitFilesInMemory([
            "/etc/faf/units/b.task": file(""), "/usr/lib/faf/units/b.task": file(""),
            "/run/faf/units/a@.task": file(""),
            "/run/faf/units/B.task": .link("/dev/null"), "/etc/faf/units/x.service": file(""),
            "/etc/faf/units/c.task.d/x.conf": file(""), "/etc/faf/units/.task": file(""),
            "/etc/faf/units/d.task~": file(""),
        ])
        #expect(UnitLoader.names(in: Self.directories, in: files) == ["B.task", "a@.task", "b.task"])
    }

    @Test func `a directory may be written with a slash at its end, or twice`() throws {
        let files = UnitFilesInMemory(["/u/a.task": file("a")])
        let unit = UnitLoader.load(try UnitName("a.task"), from: ["/u/", "/u"], in: files)
        #expect(unit.fragmentPath == "/u/a.task")
    }
}
