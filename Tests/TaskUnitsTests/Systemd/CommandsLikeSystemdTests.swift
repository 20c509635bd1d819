import Glibc
import TaskUnits
import Testing

/// Command lines and specifiers, read by faf and by the core of systemd 252, in units of the same name.
@Suite(.enabled(if: SystemdUnit.library != nil, "systemd 252 is not installed"))
struct CommandsLikeSystemdTests {
    static let units = ["a-b@i-j", "plain", "x-y-z", "p\\x2dq@r\\x20s", "a@-", "-x"]

    private func expand(_ name: UnitName) -> (String) throws(ValueError) -> String {
        var context = SpecifierContext()
        // What `%true` and `%a b` of the made-up lines ask for.
        context.runtimeDirectory = "/run"
        context.architecture = "x86-64"
        return { [context] text throws(ValueError) in try Specifiers.expand(text, unit: name, context: context) }
    }

    @Test(arguments: units)
    func `specifiers are systemd's`(stem: String) throws {
        let unit = try #require(SystemdUnit(named: "\(stem).service"))
        let name = try UnitName("\(stem).task")
        let pieces = [
            "%", "%", "%n", "%N", "%p", "%P", "%i", "%I", "%j", "%J", "%f", "n", "x", "k", "O", "5", " ", "/", "ä", "-",
            "%%",
        ]
        // What the machine's state decides is left out.
        let known = Set("%nNpPiIjJfkO5x".utf8)
        for text in Cases.texts(5000, seed: 41, pieces, upTo: 5) {
            let expected = unit.expand(text)?.replacing(".service", with: ".task")
            let letters = zip(text.utf8, text.utf8.dropFirst()).filter { $0.0 == UInt8(ascii: "%") }.map(\.1)
            if letters.contains(where: { isLetter($0) && !known.contains($0) }) { continue }
            same(try? expand(name)(text), text, expected)
        }
    }

    @Test(arguments: units.prefix(2))
    func `command lines are systemd's`(stem: String) throws {
        let unit = try #require(SystemdUnit(named: "\(stem).service"))
        let name = try UnitName("\(stem).task")
        let pieces = [
            "/bin/a", "/b//c/./d", "true", "-", "@", ":", "+", "!", "!!", " ", " ", " ", ";", " ; ", "\\;", " \\; ",
            "\";\"",
            "'", "\"", "\\", "\\x41", "\\x25n", "%n", "%i", "%", "%k", "$A", "${A}", "\\s", "/", "a b", "..", "./x",
            "\\d",
        ]
        for text in Cases.texts(15000, seed: 42, pieces, upTo: 8) where !text.isEmpty {
            let (code, commands) = unit.commands(text)
            let expected = commands.map { Command($0.path, $0.argv, $0.flags) }
            do throws(ValueError) {
                let reading = try CommandLine.read(text, specifiers: expand(name))
                let actual = reading.commands.map {
                    Command(
                        $0.path, $0.argv.map { $0.replacing(".task", with: ".service") }, Set($0.flags.map(\.rawValue)))
                }
                same(actual, text, code < 0 ? nil : expected)
            } catch {
                // An open quote or the like in the first word: systemd drops the line, faf never runs a part of a unit.
                if code >= 0, !error.message.contains("never closed"), !error.message.contains("prefix |") {
                    same(nil as [Command]?, text, expected)
                }
            }
        }
    }

    private struct Command: Equatable {
        var path: String
        var argv: [String]
        var flags: Set<String>

        init(_ path: String, _ argv: [String], _ flags: Set<String>) {
            self.path = path.replacing(".task", with: ".service")
            self.argv = argv
            self.flags = flags
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool {
        Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
    }
}

/// A unit inside of systemd's core, made as its own tests make one: nothing outside of the process is touched.
final class SystemdUnit {
    static let library = LibSystemd(path: "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-core-252.so")

    private typealias NewManager = @convention(c) (CInt, CInt, UnsafeMutablePointer<OpaquePointer?>) -> CInt
    private typealias NewUnit =
        @convention(c) (OpaquePointer, Int, UnsafePointer<CChar>, UnsafeMutablePointer<OpaquePointer?>) -> CInt
    private typealias Expand =
        @convention(c) (
            OpaquePointer, UnsafePointer<CChar>, Int, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
        ) -> CInt
    private typealias ParseExec =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>, UInt32, UnsafePointer<CChar>, UInt32, UnsafePointer<CChar>,
            CInt,
            UnsafePointer<CChar>, UnsafeMutablePointer<UnsafeMutableRawPointer?>, OpaquePointer
        ) -> CInt

    private let library: LibSystemd
    private let unit: OpaquePointer

    init?(named name: String) {
        guard let library = Self.library, let newManager = library.function("manager_new", as: NewManager.self),
            let newUnit = library.function("unit_new_for_name", as: NewUnit.self)
        else { return nil }
        var manager: OpaquePointer?
        var unit: OpaquePointer?
        // LOOKUP_SCOPE_SYSTEM, MANAGER_TEST_RUN_MINIMAL; more room than any type of unit needs. Never freed.
        guard newManager(0, 1, &manager) >= 0, let manager, newUnit(manager, 1 << 16, name, &unit) >= 0, let unit else {
            return nil
        }
        self.library = library
        self.unit = unit
    }

    func expand(_ text: String) -> String? {
        guard let expand = library.function("unit_full_printf_full", as: Expand.self) else { return nil }
        var result: UnsafeMutablePointer<CChar>?
        guard expand(unit, text, 1 << 20, &result) >= 0, let result else { return nil }
        return library.take(result)
    }

    /// What one `ExecStart=` gives.
    func commands(_ text: String) -> (code: CInt, commands: [(path: String, argv: [String], flags: Set<String>)]) {
        guard let parse = library.function("config_parse_exec", as: ParseExec.self) else { return (-1, []) }
        var first: UnsafeMutableRawPointer?
        let code = parse(nil, "test", 1, "Service", 1, "ExecStart", 0, text, &first, unit)
        var commands: [(path: String, argv: [String], flags: Set<String>)] = []
        let names = ["ignore-failure", "privileged", "no-setuid", "ambient", "no-env-expand"]
        while let command = first {
            // struct ExecCommand on 64 bits: path, argv, 48 bytes of status, flags, next, previous.
            let path = command.load(as: UnsafeMutablePointer<CChar>.self)
            let argv = command.load(fromByteOffset: 8, as: LibSystemd.Strings.self)
            let flags = command.load(fromByteOffset: 64, as: CInt.self)
            commands.append(
                (
                    library.take(path) ?? "?", library.take(argv).map { $0 ?? "?" },
                    Set(names.indices.filter { flags & 1 << $0 != 0 }.map { names[$0] })
                ))
            first = command.load(fromByteOffset: 72, as: UnsafeMutableRawPointer?.self)
            free(command)
        }
        return (code, commands)
    }
}
