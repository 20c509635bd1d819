import LinuxSystem
import Testing

struct AccountTests {
    @Test func `root is found by name and number`() throws {
        let root = try Accounts.user("root")
        #expect(root.uid == 0)
        #expect(root.gid == 0)
        #expect(root.home == "/root")
        #expect(try Accounts.user("0") == root)
        #expect(try Accounts.group("root") == 0)
        #expect(Accounts.name(ofUser: 0) == "root")
        #expect(Accounts.name(ofGroup: 0) == "root")
        #expect(Accounts.groups(of: "root", primary: 0).contains(0))
    }

    @Test func `a number need not be in the database`() throws {
        let account = try Accounts.user("4000000000")
        #expect(account == Account(name: "4000000000", uid: 4_000_000_000, gid: nil, home: "/", shell: "/bin/sh"))
        #expect(try Accounts.group("4000000000") == 4_000_000_000)
        #expect(Accounts.name(ofUser: 4_000_000_000) == nil)
        #expect(Accounts.groups(of: "4000000000", primary: 7) == [7])
    }

    @Test(arguments: ["4294967295", "65535", "4294967296", "99999999999999999999", "007", "00"])
    func `a number that means no change or does not fit is refused`(text: String) {
        #expect(throws: AccountError.notAnID(text)) { _ = try Accounts.user(text) }
        #expect(throws: AccountError.notAnID(text)) { _ = try Accounts.group(text) }
    }

    @Test(arguments: ["", "no-such-user-here", "-1", "+0", "root\0x", " root"])
    func `a name that is not there is refused`(text: String) {
        #expect(throws: AccountError.noUser(text)) { _ = try Accounts.user(text) }
        #expect(throws: AccountError.noGroup(text)) { _ = try Accounts.group(text) }
    }
}
