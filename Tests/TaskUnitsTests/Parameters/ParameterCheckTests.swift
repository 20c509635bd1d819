import TaskModel
import Testing

@testable import TaskUnits

@Suite struct ParameterCheckTests {
    private func given(_ pairs: (String, ParameterValue)...) -> [Parameter] {
        pairs.map { Parameter(name: $0.0, value: $0.1) }
    }

    private func string(_ text: String) -> ParameterValue { .init(kind: .string, text: text) }
    private func number(_ text: String) -> ParameterValue { .init(kind: .number, text: text) }

    private func refusal(_ given: [Parameter], _ policy: ParameterPolicy = .any, room: Int = 1 << 20)
        -> ParameterRefusal?
    {
        do throws(ParameterRefusal) {
            _ = try ParameterCheck.check(given: given, policy: policy, room: room)
            return nil
        } catch {
            return error
        }
    }

    @Test func `parameters are sorted by bytes and get their defaults`() throws {
        let policy = ParameterPolicy.declared([
            .init(name: "b", kind: .string), .init(name: "Z", kind: .any),
            .init(name: "a", kind: .integer, defaultValue: number("7")), .init(name: "c", kind: .string),
        ])
        let checked = try ParameterCheck.check(given: given(("b", string("x")), ("Z", number("1e3"))), policy: policy)
        #expect(checked.map(\.argument) == ["--Z=1e3", "--a=7", "--b=x"])
    }

    @Test func `a given value replaces the default`() throws {
        let policy = ParameterPolicy.declared([.init(name: "a", kind: .integer, defaultValue: number("7"))])
        #expect(try ParameterCheck.check(given: given(("a", number("8"))), policy: policy).map(\.argument) == ["--a=8"])
    }

    @Test(arguments: ["", "1a", "-a", "_a", "a b", "a=b", "ä", "a\u{301}", "a\0", "a/b"])
    func `a bad name is refused`(_ name: String) {
        #expect(refusal(given((name, string("x"))))?.kind == .badName)
    }

    @Test func `refusals name the parameter and never its value`() {
        let policy = ParameterPolicy.declared([.init(name: "video", kind: .integer, isRequired: true)])
        for (given, kind) in [
            (given(("vidoe", string("secret"))), ParameterRefusal.Kind.undeclared),
            (given(("video", string("secret"))), .wrongType),
            (given(("video", number("1")), ("video", number("2"))), .doubled),
            (given(), .missing),
        ] {
            let found = refusal(given, policy)
            #expect(found?.kind == kind)
            #expect(found?.parameter.hasPrefix("vid") == true)
            #expect(found?.message.contains("secret") == false)
            #expect(found?.remedy.isEmpty == false)
        }
        #expect(refusal(given(("vidoe", string("x"))), policy)?.remedy == "did you mean video?")
        #expect(refusal(given(("x", string("x"))), .declared([]))?.kind == .undeclared)
    }

    @Test(arguments: [
        (
            ParameterDeclaration.Kind.integer, ["0", "-17", "9007199254740993"],
            ["017", "1.0", "1e3", "+1", "", "x", "true"]
        ),
        (.number, ["2.5", "-0", "1e-7", "3"], [".5", "1.", "0x10", "NaN", "Infinity", "1 2"]),
        (.boolean, ["true", "false"], ["yes", "1", "True", ""]),
        (.array, ["[]", "[1, \"a\", {\"b\": null}]", " [ ] "], ["[1,]", "{}", "[", "[1]x", "[01]"]),
        (.object, ["{}", "{\"a\":[]}"], ["[]", "{a:1}", "{\"a\":1,\"a\":2}", "{\"a\":1,}"]),
    ])
    func `a string is taken for what it spells, its text unchanged`(
        _ kind: ParameterDeclaration.Kind, _ good: [String], _ bad: [String]
    ) throws {
        let policy = ParameterPolicy.declared([.init(name: "a", kind: kind)])
        for text in good {
            let checked = try ParameterCheck.check(given: given(("a", string(text))), policy: policy)
            #expect(checked.map(\.argument) == ["--a=" + text])
            #expect(checked.first?.value.kind != .string)
        }
        for text in bad { #expect(refusal(given(("a", string(text))), policy)?.kind == .wrongType, "\(text)") }
    }

    @Test func `a value of another type than the declared one is refused`() {
        let policy = ParameterPolicy.declared([.init(name: "s", kind: .string), .init(name: "o", kind: .object)])
        #expect(refusal(given(("s", number("17"))), policy)?.kind == .wrongType)
        #expect(refusal(given(("o", .init(kind: .array, text: "[]"))), policy)?.kind == .wrongType)
        #expect(refusal(given(("o", .init(kind: .object, text: "{}"))), policy) == nil)
    }

    @Test func `what looks like shell or options stays as it is`() throws {
        for text in ["-x", "--", "$(rm -rf /)", "a\nb", "'\"", " ", "", "$HOME %h"] {
            let checked = try ParameterCheck.check(given: given(("a", string(text))), policy: .any)
            #expect(checked.map(\.argument) == ["--a=" + text])
        }
    }

    @Test func `a NUL and an argument over 131071 bytes are refused, one byte less is not`() {
        #expect(refusal(given(("a", string("x\0y"))))?.kind == .nul)
        for text in ["[\"\\u0000\"]", "[\"a\\\\\\u0000\"]"] {
            #expect(refusal(given(("a", .init(kind: .array, text: text))))?.kind == .nul)
        }
        #expect(refusal(given(("a", .init(kind: .array, text: "[\"\\\\u0000\"]")))) == nil)
        #expect(refusal(given(("a", string("\\u0000")))) == nil)
        let fits = String(repeating: "x", count: 131_071 - "--a=".utf8.count)
        #expect(refusal(given(("a", string(fits)))) == nil)
        #expect(refusal(given(("a", string(fits + "x"))))?.kind == .argumentTooLong)
        #expect(refusal(given(("a", string(fits + "x"))))?.parameter == "a")
    }

    @Test func `all together must leave room for the environment`() {
        let one = String(repeating: "x", count: 100_000)
        let many = (0..<10).map { Parameter(name: "a\($0)", value: string(one)) }
        #expect(refusal(many) == nil)
        #expect(refusal(many + many.map { Parameter(name: "b" + $0.name, value: $0.value) })?.kind == .allTooLong)
        #expect(refusal(many, room: 64 << 10)?.kind == .allTooLong)
    }

    @Test func `the room follows the stack limit of the task`() {
        func room(_ line: String) -> Int? { task(line).unit.map { ParameterCheck.room(for: $0.settings) } }
        #expect(room("") == 1 << 20)
        #expect(room("LimitSTACK=1K") == 64 << 10)
        #expect(room("LimitSTACK=infinity") == 3 << 20)
    }

    @Test func `deep nesting is no JSON here`() {
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(JSONText.kind(of: deep) == nil)
        #expect(JSONText.kind(of: String(deep.dropFirst().dropLast())) == .array)
        #expect(JSONText.kind(of: "\"\\ud800\"") == nil)
        #expect(JSONText.kind(of: "\"\\ud83d\\ude00\"") == .string)
    }
}
