import TaskModel
import TaskUnits
import Testing

/// Whatever stands in a file: an answer or an error, never a trap, and in time that grows with its length.
struct RobustnessTests {
    static let pieces = [
        "a", "1", "9", "99999999999999999999", ".", ",", " ", "\t", "\n", "\r", "\0", "\\", "\\x", "\\u", "\\U", "\"",
        "'",
        "%", "%n", "%f", "$", "${", "}", "{", "=", ":", ";", "@", "-", "+", "!", "/", "..", "ä", "\u{301}", "\u{FFFF}",
        "\u{10FFFF}", "infinity", "K", "E", "s", "M", "‰", "‱", "SIG", "RTMIN", "RTMAX", ".task", "[S]", "#", "A=",
    ]

    @Test(arguments: Analyze.kinds)
    func `no text does harm`(kind: String) {
        for text in Cases.texts(1500, seed: 99, Self.pieces, upTo: 12) {
            for more in [[], [AnalyzeValue.Member("unit", .string(text))]] {
                let input = AnalyzeValue.string(text)
                _ = Analyze.evaluate(kind: kind, caseValue: .object([.init("input", input)] + more))
                _ = Analyze.evaluate(kind: kind, caseValue: .object([.init("input", .array([input, input]))] + more))
            }
        }
    }

    @Test func `no name, operation or scale does harm`() {
        for text in Cases.texts(1500, seed: 98, Self.pieces, upTo: 12) {
            for operation in [
                "classify", "escape", "unescape", "path_escape", "path_unescape", "instantiate", "mangle",
            ] {
                let members = ["input": text, "op": operation, "instance": text].map { name, value in
                    AnalyzeValue.Member(name, .string(value))
                }
                _ = Analyze.evaluate(kind: "unitname", caseValue: .object(members))
            }
            for scale in PercentScale.allCases { _ = try? Value.percent(text, scale: scale) }
            for resource in Value.Resource.allCases { _ = try? Value.rlimit(text, resource: resource) }
            _ = (try? Value.exitStatus(text), try? Value.umask(text), try? Value.nice(text))
        }
    }

    @Test func `no drop-in tree does harm`() {
        var cases = Cases(seed: 97)
        for _ in 0..<2000 {
            var files: [AnalyzeValue.Member] = []
            for _ in 0..<6 {
                let path =
                    "/" + cases.one(of: ["1", "2", "1/a.task.d", "2/task.d", "1/a@.task.d", ""]) + "/"
                    + cases.one(of: ["a.task", "a@.task", "a@i.task", "x.conf", "b.task", "", ".."])
                let text = cases.text(
                    ["[Task]\n", "[Unit]\n", "ExecStart=", "/x", "\n", "[", "Environment=A=", " "], upTo: 8)
                let target = cases.one(of: ["/dev/null", "a.task", "../2/b.task", "/1/a.task", "", "/", "a@.task"])
                let link = AnalyzeValue.object([.init("symlink", .string(target))])
                files.append(.init(path, cases.one(of: [.string(text), .string(text), link])))
            }
            let unit = cases.one(of: ["a.task", "a@i.task", "a@.task", "b.task"])
            let value = AnalyzeValue.object([
                .init("files", .object(files)), .init("dirs", .array(["/1", "/2", "", "/"].map { .string($0) })),
                .init("unit", .string(unit)), .init("want", .array([.string("Description"), .string("ExecStart")])),
            ])
            _ = Analyze.evaluate(kind: "dropin", caseValue: value)
        }
    }

    @Test func `long texts are read in linear time`() throws {
        let long = { (text: String) in String(repeating: text, count: 200_000) }
        #expect(try Value.timeSpan(long("1 ")) == .microseconds(200_000_000_000))
        #expect(try Value.words(long("a ")).count == 200_000)
        #expect(
            try CommandLine.parse([long("/a ; ")], specifiers: { text throws(ValueError) in text }).count == 200_000)
        #expect(Value.environment([long("A=1 ")], expand: { text throws(ValueError) in text }).values == ["A=1"])
        #expect(try Value.environmentFile(Array(long("A=1\n").utf8)).count == 1)
        #expect(try UnitName.unescape(long("\\x41")).utf8.count == 200_000)
        #expect(throws: ValueError.self) { try Value.size(long("9")) }
        #expect(throws: ValueError.self) { try Value.size("1." + long("9")) }
        #expect(throws: ValueError.self) { try Value.timeSpan("1." + long("9") + "x") }
        #expect(throws: ValueError.self) { try UnitName(long("a-") + ".task") }
    }

    @Test func `a name of dashes has few drop-in directories`() throws {
        let name = try UnitName(String(repeating: "a-", count: 120) + "@i.task")
        let files = UnitFilesInMemory(["/1/\(name.prefix)@.task": .file(Array("[Unit]".utf8))])
        #expect(UnitLoader.load(name, from: ["/1"], in: files).loadState == .loaded)
    }
}
