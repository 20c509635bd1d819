import TaskUnits
import Testing

struct CommandLineTests {
    private func parse(_ assignments: String..., unit: String = "a@b-c.task") throws -> [ExecCommand] {
        let name = try UnitName(unit)
        return try CommandLine.parse(
            assignments,
            specifiers: { text throws(ValueError) in
                try Specifiers.expand(text, unit: name, context: SpecifierContext())
            })
    }

    private func argv(_ text: String) throws -> [String]? { try parse(text).first?.argv }

    // MARK: Quotes and escapes

    @Test(
        arguments: [
            (#"/x "a b" 'c d'"#, ["/x", "a b", "c d"]), (#"/x a"b c"d"#, ["/x", "ab cd"]),
            (#"/x "" ''"#, ["/x", "", ""]),
            (#"/x '\x41' "\x41""#, ["/x", "A", "A"]), (#"/x "it's""#, ["/x", "it's"]),
            (#"/x \a\b\f\n\r\t\v"#, ["/x", "\u{7}\u{8}\u{C}\n\r\t\u{B}"]),
            (#"/x \\ \" \' \s"#, ["/x", "\\", "\"", "'", " "]),
            (#"/x \x41 \101 \u00e4 \U0001F600"#, ["/x", "A", "A", "ä", "😀"]),
            // Unknown or incomplete escapes keep their backslash.
            (#"/x \d \x4 a\ b \1 \400"#, ["/x", #"\d"#, #"\x4"#, #"a\ b"#, #"\1"#, #"\400"#]),
            (#"/x \x00 \000 \u0000"#, ["/x", #"\x00"#, #"\000"#, #"\u0000"#]), (#"/x a\"#, ["/x", #"a\"#]),
        ] as [(String, [String])])
    func `words are unquoted and unescaped`(text: String, expected: [String]) throws {
        #expect(try argv(text) == expected)
    }

    @Test(arguments: [#"/x "a"#, "/x 'a", #""/x"#, #"/x a"b"#, #"/x "a\"#])
    func `an open quote is an error that says where`(text: String) {
        let error = #expect(throws: ValueError.self) { try parse(text) }
        #expect(error?.offset == Array(text.utf8).lastIndex { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") })
    }

    @Test func `bytes that are no text are refused, not changed`() {
        #expect(throws: ValueError.self) { try parse(#"/x \xff"#) }
        #expect(throws: ValueError.self) { try parse(#"/x \ud800"#) }
    }

    @Test func `specifiers come after unescaping, for each word`() throws {
        #expect(try argv(#"/x \x25n %i "%I" %%i %"#) == ["/x", "a@b-c.task", "b-c", "b/c", "%i", "%"])
        #expect(try argv("/x %i %i") == ["/x", "b-c", "b-c"])
        #expect(throws: ValueError.self) { try parse("/x %k") }
    }

    @Test func `variables stay until run time`() throws {
        #expect(try argv("/x $A ${B} $$") == ["/x", "$A", "${B}", "$$"])
    }

    // MARK: Prefixes

    @Test(
        arguments: [
            ("-/x", [ExecCommand.Flag.ignoreFailure]), (":/x", [.noEnvironmentExpansion]), ("+/x", [.privileged]),
            ("!/x", [.noSetuid]), ("!!/x", [.ambient]),
            ("-:!/x", [.ignoreFailure, .noEnvironmentExpansion, .noSetuid]),
            (":-+/x", [.ignoreFailure, .noEnvironmentExpansion, .privileged]), ("/x", []),
        ] as [(String, Set<ExecCommand.Flag>)])
    func `prefixes stand in any order`(text: String, flags: Set<ExecCommand.Flag>) throws {
        #expect(try parse(text) == [ExecCommand(path: "/x", argv: ["/x"], flags: flags)])
    }

    @Test(arguments: ["::/x", "++/x", "+!/x", "!+/x", "!!!/x", "@@/x a", "|/x", "|x", ": /x", "@/x", "@", ":", "+"])
    func `a prefix stands once, with the path right behind`(text: String) {
        #expect(throws: ValueError.self) { try parse(text) }
    }

    @Test func `@ takes argv[0] from the next word`() throws {
        #expect(try parse("@/x name a") == [ExecCommand(path: "/x", argv: ["name", "a"])])
    }

    @Test(arguments: ["-", "-x/y", "-/x %k", "-/x \"a", "-/"])
    func `with - a bad command is left out, and told`(text: String) throws {
        let reading = try CommandLine.read(
            "/a ; " + text,
            specifiers: { text throws(ValueError) in
                try Specifiers.expand(text, unit: UnitName("a.task"), context: SpecifierContext())
            })
        #expect(reading.commands.map(\.path) == ["/a"])
        #expect(reading.leftOut.count == 1)
    }

    // MARK: Paths

    @Test func `doubled slashes and dots go from the path, not from argv[0]`() throws {
        #expect(try parse("/a//b/./c") == [ExecCommand(path: "/a/b/c", argv: ["/a//b/./c"])])
        #expect(try parse("/a/../b") == [ExecCommand(path: "/a/../b", argv: ["/a/../b"])])
    }

    @Test func `a bare name is one`() throws { #expect(try parse("true x").first?.path == "true") }

    @Test(arguments: ["/a/", "/", "a/b", "./a", ".", "..", "\"\"", #""/a'b""#, #"/a\\b"#, #"/a\nb"#])
    func `other texts are no executables`(text: String) {
        #expect(throws: ValueError.self) { try parse(text) }
    }

    @Test func `a path or name that the kernel cannot take is refused`() {
        #expect(throws: ValueError.self) { try parse("/" + String(repeating: "x", count: 256)) }
        #expect(throws: ValueError.self) { try parse(String(repeating: "x", count: 256)) }
        #expect(throws: ValueError.self) { try parse(String(repeating: "/xxx", count: 1100)) }
    }

    // MARK: Several commands

    @Test func `a lone ; separates commands`() throws {
        #expect(try parse("/a 1 ; /b ; ; /c 2 ;").map(\.argv) == [["/a", "1"], ["/b"], ["/c", "2"]])
        #expect(try parse("; /a").map(\.argv) == [["/a"]])
    }

    @Test func `other semicolons are text`() throws {
        #expect(try argv(#"/x \; ";" ';' \073 a; ;b"#) == ["/x", ";", ";", ";", ";", "a;", ";b"])
        #expect(try argv(#"/x \;a "\;""#) == ["/x", #"\;a"#, #"\;"#])
    }

    @Test func `several assignments add up, an empty one resets`() throws {
        #expect(try parse("/a", "/b").map(\.path) == ["/a", "/b"])
        #expect(try parse("/a", "", "/b").map(\.path) == ["/b"])
        #expect(try parse("/a", "").isEmpty)
        #expect(try parse(" ").isEmpty)
    }

    @Test func `unknown escapes are told`() throws {
        let reading = try CommandLine.read(#"/x \d"#, specifiers: { text throws(ValueError) in text })
        #expect(reading.warnings.map(\.offset) == [3])
    }
}
