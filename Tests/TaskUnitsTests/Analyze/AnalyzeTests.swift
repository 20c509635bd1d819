import TaskUnits
import Testing

struct AnalyzeTests {
    private typealias Member = AnalyzeValue.Member

    private func ask(_ kind: String, _ input: AnalyzeValue, _ more: (String, AnalyzeValue)...) -> AnalyzeValue? {
        let members = [Member("input", input)] + more.map { Member($0.0, $0.1) }
        return Analyze.evaluate(kind: kind, caseValue: .object(members))["value"]
    }

    private func list(_ texts: String...) -> AnalyzeValue { .array(texts.map { .string($0) }) }

    @Test func `values come as JSON has them`() {
        #expect(ask("timespan", .string("5min")) == .number("300000000"))
        #expect(ask("timespan", .string("0"), ("mode", .string("zero_is_infinity"))) == .string("infinity"))
        #expect(ask("timespan", .string("5"), ("default_unit_us", .number("1000"))) == .number("5000"))
        #expect(ask("size", .string("18446744073709551615")) == .number("18446744073709551615"))
        #expect(ask("size", .string("1K"), ("base", .number("1000"))) == .number("1000"))
        #expect(ask("boolean", .string("On")) == .bool(true))
        #expect(ask("signal", .string("SIGTERM")) == .number("15"))
        #expect(ask("percent", .string("5.5%"), ("scale", .string("permille"))) == .number("55"))
        #expect(ask("words", .string("a 'b c'")) == list("a", "b c"))
        #expect(ask("expand", list("$A", "${A}"), ("env", list("A=1 2"))) == list("1", "2", "1 2"))
        #expect(
            ask("expand", list("$A"), ("env", .object([Member("A", .string("x"))]))) == list("x"))
        #expect(ask("specifier", .string("%i"), ("unit", .string("a@b.task"))) == .string("b"))
        #expect(ask("unitfile", .string("[S]\nA=1")) == .array([list("S", "A", "1")]))
        #expect(ask("envfile", .string("A='1'")) == .array([list("A", "1")]))
        #expect(ask("environment", list("A=1", "B=%n"), ("unit", .string("x.task"))) == list("A=1", "B=x.task"))
    }

    @Test func `a command line comes with path, argv and flags`() {
        let command = AnalyzeValue.object([
            Member("path", .string("/a")), Member("argv", list("b", "%")),
            Member("flags", list("ignore-failure", "no-env-expand")),
        ])
        #expect(ask("exec", list("/x", "", "-@:/a b %%")) == .array([command]))
        #expect(ask("exec", list("|/a")) == nil)
    }

    @Test func `names have their operations`() {
        let cases = [
            ("classify", "a@.task", "template"), ("escape", "a/b", "a-b"), ("unescape", "a-b", "a/b"),
            ("path_escape", "/a//b", "a-b"), ("path_unescape", "a-b", "/a/b"), ("mangle", "a b", "a\\x20b.task"),
        ]
        for (operation, input, expected) in cases {
            #expect(ask("unitname", .string(input), ("op", .string(operation))) == .string(expected))
        }
        #expect(
            ask("unitname", .string("a@.task"), ("op", .string("instantiate")), ("instance", .string("b")))
                == .string("a@b.task"))
    }

    @Test func `a bad value is an error that says what to do`() {
        for kind in Analyze.kinds {
            let answer = Analyze.evaluate(kind: kind, caseValue: .object([Member("input", .string("\\"))]))
            if case .string(let text)? = answer["error"] {
                #expect(text.contains(";"))
            } else {
                #expect(["words", "exec", "environment", "expand", "specifier", "unitfile", "envfile"].contains(kind))
            }
        }
    }

    @Test(arguments: ["calendar", "varlink_idl", "", "Timespan"])
    func `an unknown kind is unsupported`(kind: String) {
        #expect(
            Analyze.evaluate(kind: kind, caseValue: .null) == .object([Member("unsupported", .bool(true))]))
    }

    @Test func `a case of the wrong shape is an error`() {
        for kind in Analyze.kinds {
            for value in [AnalyzeValue.null, .object([]), .array([]), .object([Member("input", .number("1"))])] {
                #expect(Analyze.evaluate(kind: kind, caseValue: value)["error"] != nil, "\(kind)")
            }
        }
        #expect(ask("size", .string("1"), ("base", .number("7"))) == nil)
        #expect(ask("timespan", .string("1"), ("default_unit_us", .number("0"))) == nil)
        #expect(ask("timespan", .string("1"), ("default_unit_us", .number("-1"))) == nil)
        #expect(ask("exec", .array([.number("1")])) == nil)
        #expect(ask("words", .string("x"), ("unit", .number("1"))) == list("x"))
        #expect(ask("specifier", .string("x"), ("unit", .string("x"))) == nil)
    }

    @Test(arguments: [
        ("W1NdCkE9Mf8=", nil), ("W1NdCkE9MQ==", "1"), ("W1NdCkE9MQ", "1"), ("W1NdCkE9M", nil), ("W1Nd!", nil),
        ("", nil),
    ])
    func `bytes come as base64`(encoded: String, value: String?) {
        let answer = Analyze.evaluate(
            kind: "unitfile", caseValue: .object([Member("input_base64", .string(encoded))]))["value"]
        #expect(answer == (encoded.isEmpty ? .array([]) : value.map { .array([list("S", "A", $0)]) }))
    }

    @Test func `what systemd only warns about is a warning`() {
        let input = AnalyzeValue.object([Member("input", list("A=1 B-C=2"))])
        let (answer, warnings) = Analyze.explain(kind: "environment", caseValue: input)
        #expect(answer == .object([Member("value", list("A=1"))]))
        #expect(warnings.count == 1)
    }
}
