import Glibc

/// Users and groups from /etc/passwd and /etc/group alone: faf is linked fully static, and glibc's lookups would load
/// the system's shared libraries into it (getpwuid(3) through nsswitch.conf). Whoever is not there is shown by number.
enum Users {
    struct Account {
        var name: String
        var uid: UInt32
        var gid: UInt32
        var home: String
        var shell: String
    }

    static func name(_ uid: Int64) -> String? { UInt32(exactly: uid).flatMap { account(uid: $0)?.name } }

    static func account(uid: UInt32) -> Account? { accounts.first { $0.uid == uid } }

    /// By name, or by number.
    static func account(_ text: String) -> Account? {
        accounts.first { $0.name == text } ?? UInt32(text).flatMap { account(uid: $0) }
    }

    static func groupName(_ gid: UInt32) -> String? {
        fields("/etc/group", 3).first { UInt32($0[2]) == gid }?[0]
    }

    private static var accounts: [Account] {
        fields("/etc/passwd", 7).compactMap { fields in
            guard let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return Account(name: fields[0], uid: uid, gid: gid, home: fields[5], shell: fields[6])
        }
    }

    private static func fields(_ path: String, _ count: Int) -> [[String]] {
        (SmallFile.text(path) ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            return fields.count >= count ? fields : nil
        }
    }
}
