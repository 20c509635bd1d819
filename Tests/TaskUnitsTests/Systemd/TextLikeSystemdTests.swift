import Glibc
import TaskUnits
import Testing

/// Quoting, variables and environment files, read by faf and by systemd 252.
@Suite(.enabled(if: LibSystemd.shared != nil, "systemd 252 is not installed"))
struct TextLikeSystemdTests {
    let systemd: LibSystemd

    init() throws { systemd = try #require(LibSystemd.shared) }

    static let quoting = [
        "a", "b", "ä", " ", " ", "\t", "\n", "\"", "'", "\\", "\\", "x", "x41", "x4", "x00", "u00e4", "u0000",
        "U0001F600",
        "U00110000", "UFFFFFFFF", "UD8000000", "\u{301}", "101", "000", "777", "377", "s", "n", "q", ";", "=", "A=",
        "B=1", "$", "{",
        "}", "0", "0041",
    ]

    private typealias Extract =
        @convention(c) (
            UnsafeMutablePointer<UnsafePointer<CChar>?>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
            UnsafePointer<CChar>?, CInt
        ) -> CInt

    /// All words, and whether the end was reached.
    private func words(_ text: String, _ extract: Extract, flags: CInt, fallback: CInt = 0) -> ([String?], Bool) {
        text.withCString { start in
            var rest: UnsafePointer<CChar>? = start
            var words: [String?] = []
            while true {
                var word: UnsafeMutablePointer<CChar>?
                let save = rest
                var result = extract(&rest, &word, nil, flags)
                if result < 0, fallback != 0 {
                    rest = save
                    result = extract(&rest, &word, nil, flags | fallback)
                }
                if result < 0 { return (words, false) }
                guard result > 0, let word else { return (words, true) }
                words.append(systemd.take(word))
            }
        }
    }

    @Test func `words are systemd's`() throws {
        let extract = try #require(systemd.function("extract_first_word", as: Extract.self))
        for text in Cases.texts(30000, seed: 11, Self.quoting, upTo: 9) {
            // EXTRACT_UNQUOTE | EXTRACT_CUNESCAPE, then EXTRACT_UNESCAPE_RELAX as well.
            let (words, complete) = words(text, extract, flags: 1 << 5 | 1 << 1, fallback: 1 << 2)
            let expected = complete && words.allSatisfy { $0 != nil } ? words.compactMap(\.self) : nil
            same(try? Value.words(text), text, expected)
        }
    }

    @Test func `environments are systemd's`() throws {
        typealias IsValid = @convention(c) (UnsafePointer<CChar>) -> Bool
        let extract = try #require(systemd.function("extract_first_word", as: Extract.self))
        let isValid = try #require(systemd.function("env_assignment_is_valid", as: IsValid.self))
        for text in Cases.texts(30000, seed: 12, Self.quoting + ["A=", "_x=", "1=", " "], upTo: 9) {
            var expected: [String] = []
            for word in words(text, extract, flags: 1 << 5 | 1 << 1).0.compactMap(\.self) where isValid(word) {
                let name = Array(word.utf8.prefix { $0 != UInt8(ascii: "=") }) + [UInt8(ascii: "=")]
                if let place = expected.firstIndex(where: { $0.utf8.starts(with: name) }) {
                    expected[place] = word
                } else {
                    expected.append(word)
                }
            }
            same(Value.environment([text], expand: { text throws(ValueError) in text }).values, text, expected)
        }
    }

    @Test func `variables are replaced as systemd does it`() throws {
        typealias Replace = @convention(c) (LibSystemd.Strings, LibSystemd.Strings) -> LibSystemd.Strings?
        let replace = try #require(systemd.function("replace_env_argv", as: Replace.self))
        let environment = [
            "A=one two", "B=", "C='x y' \"z\\\" w\" v\\ u", "D=$A ${A}", "E=it's open", "F=\\", "A_1= \t ",
            "A=last one",
            "=empty", "Ä=x", "G=\"\" '' x",
        ]
        let pieces = [
            "$", "$", "{", "}", "A", "B", "C", "D", "E", "F", "G", "A_1", "Ä", "\u{301}", "x", ":", "-", "\\", "$A",
            "${A}", "${C}",
            "${B}", " ", "'",
        ]
        for text in Cases.texts(30000, seed: 13, pieces, upTo: 6) {
            let result = systemd.withStrings([text]) { argv in
                systemd.withStrings(environment) { systemd.take(replace(argv, $0)) }
            }
            same(CommandLine.expand([text], environment: environment), text, result.compactMap(\.self))
        }
    }

    @Test func `environment files are systemd's`() throws {
        typealias Load =
            @convention(c) (
                UnsafeMutablePointer<FILE>?, UnsafePointer<CChar>?, UnsafeMutablePointer<LibSystemd.Strings?>
            ) -> CInt
        let load = try #require(systemd.function("load_env_file_pairs", as: Load.self))
        let pieces = [
            "A", "B", "=", "=", "1", " ", "\t", "\n", "\n", "\r", "\"", "'", "\\", "#", ";", "x y", "$", "`", "ä",
            "\u{301}", "export ",
        ]
        for text in Cases.texts(30000, seed: 14, pieces, upTo: 14) {
            // systemd 254 changed what a backslash at the end of a comment does; faf is with the newer ones.
            if text.contains("#") || text.contains(";"), text.contains("\\") { continue }
            var bytes = Array(text.utf8)
            let file = bytes.isEmpty ? nil : fmemopen(&bytes, bytes.count, "r")
            guard let file else { continue }
            defer { fclose(file) }
            var list: LibSystemd.Strings?
            let result = load(file, nil, &list)
            let pairs = systemd.take(list).map { $0 ?? "" }
            let actual = (try? Value.environmentFile(Array(text.utf8)))?.flatMap { [$0.name, $0.value] }
            same(actual, text, result < 0 ? nil : pairs)
        }
    }
}
