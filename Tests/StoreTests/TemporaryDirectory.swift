import Glibc

/// A directory that is there for one test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/faf-store-XXXXXX".utf8CString)
        path = mkdtemp(&template) == nil ? "/nonexistent" : String(cString: Array(template))
    }

    deinit {
        guard path != "/nonexistent", let stream = opendir(path) else { return }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if unlink(path + "/" + name) != 0 { removeDirectory(path + "/" + name) }
        }
        closedir(stream)
        rmdir(path)
    }

    func write(_ text: String, to name: String) throws {
        let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        if descriptor < 0 { throw Failure() }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        if Glibc.write(descriptor, bytes, bytes.count) != bytes.count { throw Failure() }
    }

    func read(_ name: String) -> String? {
        let descriptor = open(path + "/" + name, O_RDONLY)
        if descriptor < 0 { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private func removeDirectory(_ path: String) {
        guard let stream = opendir(path) else { return }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            unlink(path + "/" + name)
        }
        closedir(stream)
        rmdir(path)
    }

    struct Failure: Error {}
}
