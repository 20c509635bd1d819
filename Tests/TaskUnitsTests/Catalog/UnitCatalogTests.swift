import TaskModel
import Testing

@testable import TaskUnits

@Suite struct UnitCatalogTests {
    private let plain = "[Task]\nExecStart=/srv/t\n"

    @Test func `every task is listed with its state, sorted`() {
        let files = FilesInMemory([
            "/u/b.task": plain, "/u/a.task": "[Unit]\nDescription=A\n" + plain, "/u/r@.task": plain + "User=%i\n",
            "/u/bad.task": "[Task]\nNice=x\n", "/u/none.task": "", "/u/note.txt": "x", "/u/no.task.d/a.conf": plain,
        ])
        files.links["/u/off.task"] = "/dev/null"
        files.links["/u/alias.task"] = "a.task"
        let catalog = catalog(files)
        #expect(catalog.tasks.map(\.name) == ["a", "b", "bad", "none", "off", "r@"])
        #expect(catalog.tasks.map(\.state) == [.loaded, .loaded, .badSetting, .masked, .masked, .template])
        #expect(catalog.tasks.first?.description == "A")
        #expect(catalog.tasks.first?.path == "/u/a.task")
        #expect(catalog.tasks.first?.settings != nil)
        #expect(catalog.diagnostics.map(\.path) == ["/u/bad.task", "/u/bad.task"])
        #expect(catalog.task(named: "alias").unit?.name == "a")
    }

    @Test func `a lookup tells what a name stands for`() {
        let files = FilesInMemory(["/u/t.task": plain, "/u/r@.task": plain, "/u/bad.task": "[Task]\nNice=x\n"])
        files.links["/u/off.task"] = "/dev/null"
        files.links["/u/off@.task"] = "/dev/null"
        let catalog = catalog(files)
        #expect(catalog.task(named: "t").unit?.name == "t")
        #expect(catalog.task(named: "t.task").unit?.name == "t")
        #expect(catalog.task(named: "r@thumb").unit?.name == "r@thumb")
        #expect(catalog.task(named: "bad").diagnostics.count == 2)
        if case .template = catalog.task(named: "r@") {} else { Issue.record("r@") }
        if case .masked = catalog.task(named: "off") {} else { Issue.record("off") }
        if case .masked = catalog.task(named: "off@x") {} else { Issue.record("off@x") }
        if case .masked = catalog.task(named: "off@") {} else { Issue.record("off@") }
        if case .notFound(let near) = catalog.task(named: "rr@thumb") {
            #expect(near == ["r@thumb"])
        } else {
            Issue.record("rr@")
        }
        if case .notFound(let near) = catalog.task(named: "x@y") { #expect(near == []) } else { Issue.record("x@y") }
    }

    @Test(arguments: [
        "", "17", "17.task", "a/b", "../t", "/etc/passwd", "a b", "ä", "a\0", "a%i", "@x", "a.task.task", ".task",
    ])
    func `no task can have such a name`(_ name: String) {
        if case .badName = catalog(["/u/t.task": plain]).task(named: name) {} else { Issue.record("\(name)") }
    }

    @Test func `a name has at most 255 bytes with its suffix`() {
        let longest = String(repeating: "n", count: 250)
        let catalog = catalog(["/u/\(longest).task": plain])
        #expect(catalog.task(named: longest).unit != nil)
        if case .badName = catalog.task(named: longest + "n") {} else { Issue.record("251") }
    }

    @Test(arguments: [
        "memory.max", "cgroup.procs", "hold", ".control", "shims", "t", "17a", "a:b", "a-b", "x@1", "a\\x20b",
    ])
    func `names that look like something else are names`(_ name: String) throws {
        let file = name.contains("@") ? "x@" : name
        #expect(try #require(catalog(["/u/\(file).task": plain]).task(named: name).unit).name == name)
    }

    @Test func `a file whose name is all digits is refused, others load`() {
        let catalog = catalog(["/u/17.task": plain, "/u/t.task": plain, "/u/my task.task": plain])
        #expect(catalog.tasks.map(\.state) == [.badSetting, .loaded])
        #expect(catalog.problems.map(\.path) == ["/u/my task.task"])
    }

    @Test func `an instance has its template's settings and its own drop-ins`() throws {
        let files = [
            "/u/r@.task": plain + "Environment=S=%i N=%n\n", "/u/r@thumb.task.d/a.conf": "[Task]\nNice=3\n",
            "/u/r@.task.d/b.conf": "[Task]\nUMask=077\n", "/u/task.d/c.conf": "[Task]\nSendSIGKILL=no\n",
        ]
        let catalog = catalog(files)
        let thumb = try #require(catalog.task(named: "r@thumb").unit)
        #expect(thumb.settings.environment == ["S=thumb", "N=r@thumb.task"])
        #expect(thumb.settings.nice == 3)
        #expect(thumb.settings.umask == 0o77)
        #expect(!thumb.settings.sendSIGKILL)
        #expect(
            thumb.sources.map(\.path) == [
                "/u/r@.task", "/u/r@thumb.task.d/a.conf", "/u/r@.task.d/b.conf", "/u/task.d/c.conf",
            ])
        #expect(try #require(catalog.task(named: "r@big").unit).settings.nice == nil)
    }

    @Test func `a value that needs the instance does not spoil its template`() {
        let template = "[Task]\nExecStart=/srv/t\nUser=%i\nWorkingDirectory=%f\nAllowedDirectories=/srv/%i\n"
        let catalog = catalog(["/u/r@.task": template])
        #expect(catalog.tasks.map(\.state) == [.template])
        #expect(catalog.tasks.first?.diagnostics == [])
        #expect(catalog.tasks.first?.effective.first { $0.key == "User" }?.value == "%i")
        #expect(catalog.task(named: "r@-").diagnostics.map(\.key) == ["User"])
    }

    @Test func `files are read once, and a lookup reads none`() {
        let files = FilesInMemory([
            "/u/t.task": plain, "/u/r@.task": plain, "/u/r@x.task.d/a.conf": "[Task]\nNice=3\n",
            "/u/t.task.d/a.conf": "[Task]\nNice=4\n",
        ])
        let catalog = catalog(files)
        #expect(files.reads == ["/u/t.task": 1, "/u/r@.task": 1, "/u/r@x.task.d/a.conf": 1, "/u/t.task.d/a.conf": 1])
        files.files = [:]
        #expect(catalog.task(named: "r@x").unit?.settings.nice == 3)
        #expect(catalog.task(named: "t").unit?.settings.nice == 4)
    }

    @Test func `a file that must not be read refuses its unit, others load`() {
        let files = FilesInMemory(["/u/t.task": plain, "/u/u.task": plain, "/u/u.task.d/a.conf": "[Task]\nNice=3\n"])
        files.unreadable = ["/u/w.task", "/u/u.task.d/a.conf"]
        let catalog = catalog(files)
        #expect(catalog.tasks.map(\.state) == [.loaded, .badSetting, .badSetting])
        #expect(catalog.task(named: "w").diagnostics.map(\.message) == ["writable by others"])
        #expect(catalog.task(named: "u").diagnostics.map(\.path) == ["/u/u.task.d/a.conf"])
    }

    @Test func `the first directory wins and drop-ins of all apply`() throws {
        let files = FilesInMemory([
            "/etc/u/t.task": "[Task]\nExecStart=/etc/t\n", "/usr/u/t.task": "[Task]\nExecStart=/usr/t\nNice=1\n",
            "/usr/u/t.task.d/a.conf": "[Task]\nUMask=077\n",
        ])
        let unit = try #require(catalog(files, directories: ["/etc/u", "/run/u", "/usr/u"]).task(named: "t").unit)
        #expect(unit.settings.command.path == "/etc/t")
        #expect(unit.settings.nice == nil)
        #expect(unit.settings.umask == 0o77)
    }

    @Test func `a link that leads nowhere is told`() {
        let files = FilesInMemory(["/u/t.task": plain])
        files.links["/u/lost.task"] = "/srv/none.task"
        #expect(catalog(files).tasks.map(\.state) == [.badSetting, .loaded])
        #expect(catalog(files).task(named: "lost").diagnostics.count == 1)
    }
}
