import TaskModel

extension SettingTable {
    /// [Task]: secrets that are handed over as files, not on a command line.
    static let credentials: [Setting] = [
        .custom(
            "Task", "LoadCredential", .credential, isList: true,
            "A file that fafd reads at each start, as root, and that the script alone finds as `$CREDENTIALS_DIRECTORY/ID` "
                + "(`%d/ID`), in memory and gone with it. A PATH that is a name is a credential of fafd's own, or is looked for "
                + "in /etc/credstore, /run/credstore and /usr/lib/credstore; without one it is ID. Only root may be able "
                + "to change the file, or the run's user able to read it. 1 MiB in all.",
            apply: { draft, text, context throws(ValueError) in
                let credential = try CredentialSetting.load(text, context)
                draft.settings.sandbox.loadedCredentials.removeAll { $0.name == credential.name }
                draft.settings.sandbox.loadedCredentials.append(credential)
            },
            reset: { $0.settings.sandbox.loadedCredentials = [] }, show: { _ in "" }),

        .custom(
            "Task", "SetCredential", .credentialValue, isList: true,
            "The same with a literal value, in which `\\n`, `\\x00` and so on are read as in C; for what is not secret. "
                + "With a LoadCredential= of the same ID it counts where that finds no file.",
            apply: { draft, text, context throws(ValueError) in
                let credential = try CredentialSetting.literal(text, context)
                draft.settings.sandbox.literalCredentials.removeAll { $0.name == credential.name }
                draft.settings.sandbox.literalCredentials.append(credential)
            },
            reset: { $0.settings.sandbox.literalCredentials = [] }, show: { _ in "" }),
    ]
}

/// `LoadCredential=` and `SetCredential=`.
enum CredentialSetting {
    static func load(_ text: String, _ context: SettingContext) throws(ValueError) -> Sandbox.LoadedCredential {
        let (first, rest) = split(text)
        let name = try checked(try context.expand(first))
        guard let rest, !rest.isEmpty else { return .init(name: name, source: name) }
        let source = try context.expand(rest)
        let isPath = source.utf8.first == UInt8(ascii: "/")
        return .init(name: name, source: isPath ? try UnitPath.absolute(source) : try checked(source))
    }

    static func literal(_ text: String, _ context: SettingContext) throws(ValueError) -> Sandbox.LiteralCredential {
        let (first, rest) = split(text)
        guard let rest else {
            throw ValueError(message: "\(quoted(text)) has no value", remedy: "write ID:VALUE")
        }
        return .init(name: try checked(try context.expand(first)), content: try unescaped(rest))
    }

    private static func split(_ text: String) -> (String, String?) {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        return (
            String(decoding: parts[0], as: UTF8.self), parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : nil
        )
    }

    /// What can be the name of a file and of a descriptor (sd_listen_fds(3)), as systemd wants it.
    private static func checked(_ name: String) throws(ValueError) -> String {
        let isGood = name.utf8.allSatisfy {
            (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":")
        }
        guard isGood, (1...255).contains(name.utf8.count), name != ".", name != ".." else {
            throw ValueError(
                message: "\(quoted(name)) is no name of a credential",
                remedy: "use letters, digits, . _ and -, or an absolute path behind ID:")
        }
        return name
    }

    private static func unescaped(_ text: String) throws(ValueError) -> [UInt8] {
        var rest = ArraySlice(Array(text.utf8))
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let (meant, length) = Escape.decode(rest, acceptsNUL: true) else {
                throw ValueError(
                    message: "an escape behind a backslash is unknown or incomplete",
                    remedy: "write \\\\ for a backslash, or an escape of C (\\n, \\x41)")
            }
            bytes += meant
            rest = rest.dropFirst(length)
        }
        return bytes
    }
}
