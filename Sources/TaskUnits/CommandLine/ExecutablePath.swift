/// What may stand where a command line names its executable.
enum ExecutablePath {
    /// An absolute path to a file, or a bare name, without quotes, backslashes and control characters.
    static func check(_ path: String, offset: Int) throws(ValueError) {
        func refused(_ message: String, _ remedy: String) -> ValueError {
            ValueError(message: message, remedy: remedy, offset: offset)
        }
        let bytes = Array(path.utf8)
        guard let first = bytes.first, let last = bytes.last else {
            throw refused("there is no executable", "write its absolute path, right behind the prefixes")
        }
        if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F || "\"'\\".utf8.contains($0) }) {
            throw refused(
                "\(quoted(path)) has a quote, a backslash or a control character", "rename the file, or link to it")
        }
        if last == UInt8(ascii: "/") {
            throw refused("\(quoted(path)) names a directory", "write the absolute path of the file")
        }
        if first == UInt8(ascii: "/") {
            let isTooLong = bytes.count >= 4096 || bytes.split(separator: UInt8(ascii: "/")).contains { $0.count > 255 }
            if isTooLong { throw refused("the path of the executable is too long", "shorten it") }
            return
        }
        if first == UInt8(ascii: "|") {
            throw refused("the prefix | is not supported", "write the command without it")
        }
        if bytes.contains(UInt8(ascii: "/")) || bytes.count > 255 || path == "." || path == ".." {
            throw refused(
                "\(quoted(path)) is neither an absolute path nor a name without slashes", "write the absolute path")
        }
    }

    /// Without doubled slashes and `.` components; `..` stays, because links decide what it means.
    static func simplified(_ path: String) -> String {
        let isAbsolute = path.utf8.first == UInt8(ascii: "/")
        let parts = pathParts(path).filter { $0 != "." }
        let joined = (isAbsolute ? "/" : "") + parts.joined(separator: "/")
        return joined.isEmpty && !path.isEmpty ? "." : joined
    }
}

/// What stands between the slashes, byte by byte: for String's own functions a slash and a combining accent behind it are
/// one character, and no slash.
func pathParts(_ path: String, keepingEmpty: Bool = false) -> [String] {
    path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: !keepingEmpty)
        .map { String(decoding: $0, as: UTF8.self) }
}
