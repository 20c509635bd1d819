import Glibc

/// Paths as somebody types them.
enum FilePath {
    /// From / on, `.` and `..` and doubled slashes resolved by name; links are left alone.
    static func absolute(_ path: String) -> String {
        var whole = path
        if path.utf8.first != UInt8(ascii: "/") {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let directory = getcwd(&buffer, buffer.count).map { String(cString: $0) } ?? "/"
            whole = directory + "/" + path
        }
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// What holds the file; `/` for what lies there.
    static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
