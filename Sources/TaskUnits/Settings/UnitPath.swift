/// Paths in settings.
enum UnitPath {
    /// Without doubled and trailing slashes and `.` components, as systemd simplifies them; `..` is refused, since what
    /// it means depends on symlinks.
    static func absolute(_ text: String) throws(ValueError) -> String {
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw ValueError(message: "\(quoted(text)) is not an absolute path", remedy: "write the path from / on")
        }
        if text.utf8.contains(0) {
            throw ValueError(message: "a path cannot hold a NUL", remedy: "remove it")
        }
        let components = text.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
            .filter { $0 != "." }
        if components.contains("..") {
            throw ValueError(message: "\(quoted(text)) contains ..", remedy: "write the path without ..")
        }
        if components.contains(where: { $0.utf8.count > 255 }) || text.utf8.count > 4095 {
            throw ValueError(message: "the path is too long", remedy: "use at most 255 bytes a name, 4095 in all")
        }
        return "/" + components.joined(separator: "/")
    }

    /// The words of a list of paths.
    static func list(_ text: String, _ context: SettingContext) throws(ValueError) -> [String] {
        var paths: [String] = []
        for word in try context.words(text) { paths.append(try absolute(word)) }
        return paths
    }
}
