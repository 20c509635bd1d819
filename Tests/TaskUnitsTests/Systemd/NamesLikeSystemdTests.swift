import TaskUnits
import Testing

/// Names, read by faf and by systemd 252, which calls them `.service`.
@Suite(.enabled(if: LibSystemd.shared != nil, "systemd 252 is not installed"))
struct NamesLikeSystemdTests {
    let systemd: LibSystemd

    init() throws { systemd = try #require(LibSystemd.shared) }

    static let pieces = [
        "a", "b-", "-", "@", ".", "..", "/", "//", "\\", "\\x2d", "\\x2f", "\\x", "\\xc3\\xa4", "\\xff", "%", " ", "ä",
        ":",
        "_", "x", "~", "x41", "\u{301}",
    ]

    private func service(_ text: String) -> String { text.replacing(".task", with: ".service") }

    @Test func `valid names are systemd's`() throws {
        typealias IsValid = @convention(c) (UnsafePointer<CChar>, CInt) -> Bool
        let isValid = try #require(systemd.function("unit_name_is_valid", as: IsValid.self))
        let long = [246, 247, 248].map { String(repeating: "a", count: $0) }
        for stem in long + Cases.texts(20000, seed: 21, Self.pieces, upTo: 6) {
            // systemd's suffix is 3 bytes longer: only length differs.
            if stem.utf8.count > 248 { continue }
            let kinds: [(UnitName.Kind, CInt)] = [(.plain, 1), (.template, 2), (.instance, 4)]
            let expected = kinds.first { isValid(stem + ".service", $0.1) }?.0
            let actual = try? UnitName(stem + ".task").kind
            if stem.utf8.count < 248 {
                // UNIT_NAME_TEMPLATE and UNIT_NAME_INSTANCE are told apart by both sides alike or not at all.
                same(actual.map { $0 == .plain }, stem, expected.map { $0 == .plain })
            }
        }
        #expect(try UnitName(String(repeating: "a", count: 250) + ".task").text.utf8.count == 255)
        #expect(throws: ValueError.self) { try UnitName(String(repeating: "a", count: 251) + ".task") }
    }

    @Test func `escapes are systemd's`() throws {
        typealias Escape = @convention(c) (UnsafePointer<CChar>) -> UnsafeMutablePointer<CChar>?
        let escape = try #require(systemd.function("unit_name_escape", as: Escape.self))
        for text in Cases.texts(20000, seed: 22, Self.pieces, upTo: 6) {
            same(UnitName.escape(text), text, escape(text).flatMap { systemd.take($0) })
            same(try? UnitName.unescape(text), text, systemd.text("unit_name_unescape", text))
            same(try? UnitName.pathEscape(text), text, systemd.text("unit_name_path_escape", text))
            same(try? UnitName.pathUnescape(text), text, systemd.text("unit_name_path_unescape", text))
        }
    }

    @Test func `instances are systemd's`() throws {
        typealias Replace =
            @convention(c) (
                UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
            ) -> CInt
        let replace = try #require(systemd.function("unit_name_replace_instance", as: Replace.self))
        var cases = Cases(seed: 23)
        for _ in 0..<20000 {
            let name = cases.text(["a", "b", "@", "-", ".", "x"], upTo: 4)
            let instance = cases.text(Self.pieces, upTo: 4)
            var result: UnsafeMutablePointer<CChar>?
            let code = replace(name + ".service", instance, &result)
            let expected = code < 0 ? nil : result.flatMap { systemd.take($0) }
            let actual = (try? UnitName(name + ".task").instantiate(instance)).map { service($0.text) }
            same(actual, "\(name) \(instance)", expected)
        }
    }

    @Test func `mangling is systemd's`() throws {
        typealias Mangle =
            @convention(c) (
                UnsafePointer<CChar>, UnsafePointer<CChar>?, CInt, UnsafePointer<CChar>,
                UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
            ) -> CInt
        let mangle = try #require(systemd.function("unit_name_mangle_with_suffix", as: Mangle.self))
        for text in Cases.texts(20000, seed: 24, Self.pieces + [".task"], upTo: 6) {
            // Paths become mount units in systemd, which faf does not have. `service` cannot cut before an accent.
            if text.utf8.first == UInt8(ascii: "/") || text.unicodeScalars.contains("\u{301}") { continue }
            var result: UnsafeMutablePointer<CChar>?
            let code = mangle(service(text), nil, 0, ".service", &result)
            let expected = code < 0 ? nil : result.flatMap { systemd.take($0) }
            same((try? UnitName.mangle(text)).map { service($0.text) }, text, expected)
        }
    }
}
