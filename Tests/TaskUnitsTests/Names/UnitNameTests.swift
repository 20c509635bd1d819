import TaskUnits
import Testing

struct UnitNameTests {
    @Test(arguments: [
        ("a.task", UnitName.Kind.plain), ("a@.task", .template), ("a@b.task", .instance), ("a@b@c.task", .instance),
        ("A-z0:9_.\\x2d.task", .plain), ("a.task.task", .plain), ("a@.b.task", .instance), ("-.task", .plain),
    ])
    func `names are plain, templates or instances`(text: String, kind: UnitName.Kind) throws {
        #expect(try UnitName(text).kind == kind)
    }

    @Test(arguments: [
        "", ".task", "@.task", "@a.task", "a", "a.service", "a%.task", "a b.task", "a/b.task", "ä.task", "a.task ",
        "a.TASK", "a\n.task", "a.tas\u{301}k",
    ])
    func `other texts are no names`(text: String) { #expect(throws: ValueError.self) { try UnitName(text) } }

    @Test func `a name has at most 255 bytes`() throws {
        _ = try UnitName(String(repeating: "a", count: 250) + ".task")
        #expect(throws: ValueError.self) { try UnitName(String(repeating: "a", count: 251) + ".task") }
    }

    @Test func `the first @ splits`() throws {
        let name = try UnitName("resize@a@b.task")
        #expect(name.prefix == "resize")
        #expect(name.instance == "a@b")
        #expect(name.task == "resize@a@b")
        #expect(name.template?.text == "resize@.task")
        #expect(try UnitName("resize@.task").instance == nil)
        #expect(try UnitName("resize.task").template == nil)
    }

    @Test func `a template is instantiated`() throws {
        #expect(try UnitName("a@.task").instantiate("b").text == "a@b.task")
        #expect(try UnitName("a@x.task").instantiate("b").text == "a@b.task")
        #expect(throws: ValueError.self) { try UnitName("a.task").instantiate("b") }
        for instance in ["", "a b", "a/b", "ä", String(repeating: "x", count: 250)] {
            #expect(throws: ValueError.self) { try UnitName("a@.task").instantiate(instance) }
        }
    }

    @Test(arguments: [
        ("a", "a.task"), ("a.task", "a.task"), ("a b", "a\\x20b.task"), ("a/b", "a-b.task"), ("a@b", "a@b.task"),
        ("ä", "\\xc3\\xa4.task"), ("a.service", "a.service.task"), ("a%", "a\\x25.task"),
    ])
    func `what somebody types becomes a name`(text: String, name: String) throws {
        #expect(try UnitName.mangle(text).text == name)
    }

    @Test func `some texts cannot become names`() {
        for text in ["", "@", "@a", String(repeating: "ä", count: 60)] {
            #expect(throws: ValueError.self) { try UnitName.mangle(text) }
        }
    }

    @Test(arguments: [
        ("a/b", "a-b"), ("a-b", "a\\x2db"), (".a", "\\x2ea"), ("a.b", "a.b"), ("/", "-"), ("ä ", "\\xc3\\xa4\\x20"),
        ("a\\b", "a\\x5cb"), ("a@b", "a\\x40b"), ("a:b_c", "a:b_c"), ("", ""), ("%", "\\x25"),
    ])
    func `any text is escaped and comes back`(text: String, escaped: String) throws {
        #expect(UnitName.escape(text) == escaped)
        #expect(try UnitName.unescape(escaped) == text)
    }

    @Test(arguments: ["\\", "\\x", "\\x4", "\\x4g", "a\\y41", "\\xff", "\\x00", "\\X41"])
    func `broken escapes are refused`(text: String) { #expect(throws: ValueError.self) { try UnitName.unescape(text) } }

    @Test(arguments: [
        ("/", "-", "/"), ("/a/b", "a-b", "/a/b"), ("//a//./b/", "a-b", "/a/b"), ("/a-b", "a\\x2db", "/a-b"),
        ("/.a", "\\x2ea", "/.a"), ("a/b", "a-b", "/a/b"), ("/a\\b", "a\\x5cb", "/a\\b"),
    ])
    func `paths are escaped without their outer slashes`(path: String, escaped: String, back: String) throws {
        #expect(try UnitName.pathEscape(path) == escaped)
        #expect(try UnitName.pathUnescape(escaped) == back)
    }

    @Test func `paths with dots are refused`() {
        for path in ["/a/../b", "..", ".", "a/..", "./.", "/..", "/\u{301}/../x"] {
            #expect(throws: ValueError.self) { try UnitName.pathEscape(path) }
        }
        for text in ["", "-a", "a-", "a--b", "..", "a-..-b", "."] {
            #expect(throws: ValueError.self) { try UnitName.pathUnescape(text) }
        }
    }
}
