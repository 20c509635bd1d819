import TaskUnits
import Testing

struct SpecifierTests {
    private func expand(
        _ text: String, unit: String = "a-b@c\\x2dd-e.task", _ context: SpecifierContext = SpecifierContext()
    ) throws -> String {
        try Specifiers.expand(text, unit: UnitName(unit), context: context)
    }

    @Test(arguments: [
        ("%n", "a-b@c\\x2dd-e.task"), ("%N", "a-b@c\\x2dd-e"), ("%p", "a-b"), ("%i", "c\\x2dd-e"), ("%I", "c-d/e"),
        ("%j", "b"), ("%f", "/c-d/e"), ("%P", "a/b"), ("%J", "b"), ("%%", "%"), ("%%n", "%n"), ("x%py", "xa-by"),
        // Not letters or digits.
        ("% n", "% n"), ("100%", "100%"), ("%-", "%-"), ("%ä", "%ä"), ("%%%", "%%"), ("", ""),
    ])
    func `names are taken apart`(text: String, expected: String) throws { #expect(try expand(text) == expected) }

    @Test func `a plain name has no instance`() throws {
        #expect(try expand("[%i%I]%j %f", unit: "a-b.task") == "[]b /a/b")
        #expect(try expand("%j", unit: "a.task") == "a")
    }

    @Test func `%f of an instance that is no path is an error`() {
        for unit in ["a@-b.task", "a@b-.task", "a@.task", "a@b--c.task"] {
            #expect(throws: ValueError.self) { try expand("%f", unit: unit) }
        }
    }

    @Test(arguments: ["%k", "%x", "%0", "%9", "%Z", "x %k"])
    func `an unknown letter or digit is an error that says where`(text: String) {
        let error = #expect(throws: ValueError.self) { try expand(text) }
        #expect(error?.offset == text.utf8.count - 2)
    }

    @Test func `what is not known is an error, not empty`() {
        for letter in "uUgGhsHlmbvatSCLEdyY" { #expect(throws: ValueError.self) { try expand("%\(letter)") } }
    }

    @Test func `the context fills in the rest`() throws {
        var context = SpecifierContext()
        (context.user, context.uid, context.group, context.gid) = ("alice", 2001, "staff", 50)
        (context.home, context.shell) = ("/home/alice", "/bin/sh")
        (context.hostname, context.machineID, context.bootID) = ("web.example", "m", "b")
        (context.kernelRelease, context.architecture) = ("6.1", "x86-64")
        (context.runtimeDirectory, context.stateDirectory) = ("/run", "/var/lib")
        (context.cacheDirectory, context.logsDirectory) = ("/var/cache", "/var/log")
        (context.configurationDirectory, context.unitPath) = ("/etc", "/etc/faf/units/a.task")
        context.osRelease = ["ID": "debian", "VERSION_ID": "12"]
        let text = "%u %U %g %G %h %s %H %l %m %b %v %a %t %S %C %L %E %y %Y %T %V %o%w%B"
        let expected = """
            alice 2001 staff 50 /home/alice /bin/sh web.example web m b 6.1 x86-64 /run /var/lib /var/cache /var/log /etc \
            /etc/faf/units/a.task /etc/faf/units /tmp /var/tmp debian12
            """
        #expect(try expand(text, context) == expected)
    }

    @Test func `what a specifier stands for is not expanded again`() throws {
        var context = SpecifierContext()
        context.user = "%n"
        #expect(try expand("%u", context) == "%n")
    }
}
