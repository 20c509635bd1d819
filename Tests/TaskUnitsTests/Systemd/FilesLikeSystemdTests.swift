import Glibc
import TaskUnits
import Testing
import UnitFile

/// Unit files and the order of drop-ins, by faf and by systemd 252.
@Suite(.enabled(if: LibSystemd.shared != nil, "systemd 252 is not installed"))
struct FilesLikeSystemdTests {
    let systemd: LibSystemd

    init() throws { systemd = try #require(LibSystemd.shared) }

    private typealias Assign =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UInt32, UnsafePointer<CChar>?, UInt32, UnsafePointer<CChar>?,
            CInt, UnsafePointer<CChar>?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
        ) -> CInt
    private typealias Lookup =
        @convention(c) (
            UnsafeRawPointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafeMutablePointer<Assign?>,
            UnsafeMutablePointer<CInt>, UnsafeMutablePointer<UnsafeMutableRawPointer?>, UnsafeMutableRawPointer?
        ) -> CInt
    private typealias Parse =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafeMutablePointer<FILE>?, UnsafePointer<CChar>?, Lookup,
            UnsafeRawPointer?, CInt, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
        ) -> CInt

    @Test func `unit files are systemd's`() throws {
        let parse = try #require(systemd.function("config_parse", as: Parse.self))
        let pieces = [
            "[S]\n", "[S]\n", "[T]", "\n", "\n", "\r", "\r\n", "A", "B c", "=", "=", " ", "\t", "\\", "\\\n", "\\\n",
            "#",
            "\n#", ";", "[", "]", "\"", "'", "ä", "\u{FEFF}", "X-", "1", "\u{FFFF}", "\u{301}", "\u{B}", "\0",
        ]
        // The arguments of the function that is called for each assignment are of interest only.
        let lookup: Lookup = { _, _, _, assign, type, data, _ in
            assign.pointee = { _, _, _, section, _, key, _, value, _, results in
                guard let results, let section, let key, let value else { return 0 }
                results.assumingMemoryBound(to: [[String]].self).pointee.append(
                    [section, key, value].map { String(cString: $0) })
                return 0
            }
            type.pointee = 0
            data.pointee = nil
            return 1
        }
        for text in Cases.texts(30000, seed: 31, pieces, upTo: 14).map({ "[S]\n" + $0 }) {
            var bytes = Array(text.utf8)
            let file = fmemopen(&bytes, bytes.count, "r")
            defer { if let file { fclose(file) } }
            var expected: [[String]] = []
            let result = withUnsafeMutablePointer(to: &expected) {
                parse(nil, "test", file, nil, lookup, nil, 0, UnsafeMutableRawPointer($0), nil)
            }
            let (actual, failure) = UnitFile.readingPrefix(of: Array(text.utf8))
            same(failure == nil, text, result >= 0)
            same(actual.assignments.map { [$0.section, $0.key, $0.value] }, text, expected)
        }
    }

    @Test func `drop-ins are systemd's, in its order`() throws {
        typealias Find =
            @convention(c) (
                UnsafePointer<CChar>?, LibSystemd.Strings, UnsafeRawPointer?, UnsafePointer<CChar>,
                UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer?,
                UnsafeMutablePointer<LibSystemd.Strings?>
            ) -> CInt
        let find = try #require(systemd.function("unit_file_find_dropin_paths", as: Find.self))
        var cases = Cases(seed: 32)
        var found = 0
        for round in 0..<150 {
            let root = try TemporaryDirectory()
            let directories = ["etc", "run", "lib"].map { "\(root.path)/\($0)" }
            for directory in directories { mkdir(directory, 0o755) }
            let name = cases.one(of: ["a-b@i", "a-b-c@i-j", "a-b", "a", "a--b@x", "-a-b", "a-@i", "a-b-", "x@a@b"])
            var files: [String: UnitFilesInMemory.Node] = [directories[2] + "/\(name).task": .file(Array("[T]".utf8))]
            let folders = [
                "a-b@i", "a-b@", "a-b", "a-", "a-@", "a-@i", "a-b-", "a-b-@", "a-b-@i-j", "a-b-c@i-j", "a-b-c@",
                "a--b@x",
                "a--b@", "a--", "a", "-", "-a-", "-a-b", "x@a@b", "x@", "x",
            ]
            for _ in 0..<24 {
                let directory = cases.one(of: directories)
                let folder = cases.one(of: folders + [""])
                let file = cases.one(of: [
                    "10-a.conf", "20-b.conf", "3.conf", "Z.conf", ".x.conf", "y.conf~", "no", "ä.conf",
                ])
                // "service.d" and "task.d" are the type-wide ones.
                let place = { (type: String) in "\(directory)/\(folder.isEmpty ? type : "\(folder).\(type)").d" }
                mkdir(place("service"), 0o755)
                close(open("\(place("service"))/\(file)", O_CREAT | O_WRONLY, 0o644))
                files["\(place("task"))/\(file)"] = .file(Array("[T]".utf8))
            }
            var list: LibSystemd.Strings?
            _ = systemd.withStrings(directories) {
                find(nil, $0, nil, ".d", ".conf", "\(name).service", nil, &list)
            }
            let expected = systemd.take(list).compactMap { $0?.replacing("service.d/", with: "task.d/") }
            let unit = UnitLoader.load(
                try UnitName("\(name).task"), from: directories, in: UnitFilesInMemory(files))
            found += expected.count
            same(unit.dropInPaths, "\(name), round \(round)", expected)
        }
        #expect(found > 200)
    }
}

/// Removed with all it holds when the test is over.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/faf-task-units.XXXXXX\0".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { Self.removeAll(path) }

    private static func removeAll(_ path: String) {
        if let directory = opendir(path) {
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { removeAll("\(path)/\(name)") }
            }
        }
        remove(path)
    }
}
