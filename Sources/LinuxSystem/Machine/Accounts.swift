private import Glibc

/// An entry of the user database, or a bare number.
public struct Account: Sendable, Hashable {
    /// The number as text where the database has no entry.
    public let name: String
    public let uid: UInt32
    /// `nil`: the database has no entry, so there is no primary group to know.
    public let gid: UInt32?
    public let home: String
    public let shell: String

    public init(name: String, uid: UInt32, gid: UInt32?, home: String, shell: String) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.home = home
        self.shell = shell
    }
}

/// A user or group that cannot be used.
public enum AccountError: Error, Sendable, Hashable, CustomStringConvertible {
    case noUser(String)
    case noGroup(String)
    /// −1 and its 16-bit form mean "no change" to the kernel (sudo CVE-2019-14287); larger ones do not exist.
    case notAnID(String)
    case lookUp(String, errno: Int32)

    public var description: String {
        switch self {
        case .noUser(let name): "there is no user \(name)"
        case .noGroup(let name): "there is no group \(name)"
        case .notAnID(let number): "\(number) is not a user or group number (0 to 4294967294, without 65535)"
        case .lookUp(let name, let errno):
            "\(name) could not be looked up: \(SystemError.text(of: errno)) (\(SystemError.name(of: errno)))"
        }
    }
}

/// Users and groups, by name or number (nsswitch.conf(5)).
public enum Accounts {
    /// A text of digits is a number, which need not be in the database; all else must be (threat-model B6).
    public static func user(_ text: String) throws(AccountError) -> Account {
        guard let number = try number(text) else {
            guard let account = try account(text, lookUp: { getpwnam_r(text, $0, $1, $2, $3) }) else {
                throw .noUser(text)
            }
            return account
        }
        return try user(uid: number)
    }

    /// The entry of a uid, or a bare account with home `/` and shell `/bin/sh`.
    public static func user(uid: UInt32) throws(AccountError) -> Account {
        try account(String(uid), lookUp: { getpwuid_r(uid, $0, $1, $2, $3) })
            ?? Account(name: String(uid), uid: uid, gid: nil, home: "/", shell: "/bin/sh")
    }

    /// A text of digits is a number, which need not be in the database.
    public static func group(_ text: String) throws(AccountError) -> UInt32 {
        if let number = try number(text) { return number }
        guard !text.isEmpty, !text.utf8.contains(0) else { throw .noGroup(text) }
        var entry = Glibc.group()
        let found = try look(text) { (buffer, size, found) in
            var result: UnsafeMutablePointer<Glibc.group>?
            let error = getgrnam_r(text, &entry, buffer, size, &result)
            found = result != nil
            return error
        } then: {
            entry.gr_gid
        }
        guard let found else { throw .noGroup(text) }
        if !isUsable(found) { throw .notAnID(String(found)) }
        return found
    }

    /// The supplementary groups of a user, `primary` included (getgrouplist(3)).
    public static func groups(of user: String, primary: UInt32) -> [UInt32] {
        var count: Int32 = 64
        while true {
            var groups = [gid_t](repeating: 0, count: Int(count))
            if getgrouplist(user, primary, &groups, &count) >= 0 { return Array(groups.prefix(Int(count))) }
            // Too small: glibc stores the number needed; a database that grows meanwhile needs another turn.
            count = max(count, Int32(groups.count) * 2)
            if count > 1 << 20 { return [primary] }
        }
    }

    /// The name of a uid, for display; `nil`: it has none.
    public static func name(ofUser uid: UInt32) -> String? {
        guard let account = try? user(uid: uid), account.gid != nil else { return nil }
        return account.name
    }

    /// The name of a gid, for display; `nil`: it has none.
    public static func name(ofGroup gid: UInt32) -> String? {
        var entry = Glibc.group()
        let name = try? look(String(gid)) { (buffer, size, found) in
            var result: UnsafeMutablePointer<Glibc.group>?
            let error = getgrgid_r(gid, &entry, buffer, size, &result)
            found = result != nil
            return error
        } then: {
            entry.gr_name.map { String(cString: $0) }
        }
        return name ?? nil
    }

    private static func isUsable(_ id: UInt32) -> Bool { id != UInt32.max && id != 65535 }

    /// `nil`: not a number. systemd refuses signs and leading zeros too (they are then neither number nor name).
    private static func number(_ text: String) throws(AccountError) -> UInt32? {
        guard let first = text.utf8.first, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        guard let number = UInt32(text), isUsable(number), first != UInt8(ascii: "0") || number == 0 && text == "0"
        else {
            throw .notAnID(text)
        }
        return number
    }

    private typealias UserLookUp = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func account(_ name: String, lookUp: UserLookUp) throws(AccountError) -> Account? {
        guard !name.isEmpty, !name.utf8.contains(0) else { throw .noUser(name) }
        var entry = passwd()
        let account = try look(name) { (buffer, size, found) in
            var result: UnsafeMutablePointer<passwd>?
            let error = lookUp(&entry, buffer, size, &result)
            found = result != nil
            return error
        } then: {
            func text(_ pointer: UnsafeMutablePointer<CChar>?, or fallback: String) -> String {
                guard let text = pointer.map({ String(cString: $0) }), !text.isEmpty else { return fallback }
                return text
            }
            return Account(
                name: text(entry.pw_name, or: name), uid: entry.pw_uid, gid: entry.pw_gid,
                home: text(entry.pw_dir, or: "/"), shell: text(entry.pw_shell, or: "/bin/sh"))
        }
        if let account, !isUsable(account.uid) || !isUsable(account.gid ?? 0) { throw .notAnID(String(account.uid)) }
        return account
    }

    /// Calls with a growing buffer; the strings of the entry lie in it, so they are read before it goes.
    private static func look<Value>(
        _ name: String,
        _ call: (UnsafeMutablePointer<CChar>, Int, inout Bool) -> Int32,
        then read: () -> Value
    ) throws(AccountError) -> Value? {
        var size = 2048
        while true {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            var found = false
            let error = call(buffer, size, &found)
            switch error {
            case 0: return found ? read() : nil
            case ERANGE where size < 1 << 22: size *= 4
            case EINTR: continue
            // What name services answer for "not there" (getpwnam(3), section on errors).
            case ENOENT, ESRCH, EBADF, EPERM: return nil
            default: throw .lookUp(name, errno: error)
            }
        }
    }
}
