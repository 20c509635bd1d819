import TaskUnits
import Testing

struct EnvironmentTests {
    private func read(_ assignments: String...) -> [String] {
        Value.environment(assignments, expand: { text throws(ValueError) in text }).values
    }

    @Test func `a word is one variable, quotes may stand anywhere`() {
        #expect(read(#"A=1 "B=2 3" C='4 5' D="6"7"#) == ["A=1", "B=2 3", "C=4 5", "D=67"])
    }

    @Test func `there is no $ expansion`() { #expect(read("A=$B ${C}") == ["A=$B"]) }

    @Test func `a later name replaces the value in place`() {
        #expect(read("A=1 B=2", "A=3") == ["A=3", "B=2"])
    }

    @Test func `an empty assignment resets the list`() { #expect(read("A=1", "", "B=2") == ["B=2"]) }

    @Test(arguments: ["1A=x", "A-B=x", "=x", "A", "Ä=x", "A.B=x", "\"A B=x\""])
    func `an invalid word is dropped alone`(word: String) {
        #expect(read("B=1 \(word) C=2") == ["B=1", "C=2"])
    }

    @Test(arguments: [#"B=a\qb"#, #""B=1"#, "B='1", #"B=\x4"#, #"B=\"#, #"B=\x00"#])
    func `a broken quote or escape drops the word and the rest of the line`(word: String) {
        #expect(read("A=1 \(word) C=2", "D=3") == ["A=1", "D=3"])
    }

    @Test func `escapes are decoded`() {
        #expect(read(#"A=a\sb\x41\101\u00e4\"\n"#) == ["A=a bAAä\"\n"])
    }

    @Test func `specifiers are expanded after quotes, and an error drops the word`() {
        let (values, problems) = Value.environment(
            [#"A="%i" B=%k C=1"#],
            expand: { text throws(ValueError) in
                try Specifiers.expand(text, unit: UnitName("a@b.task"), context: SpecifierContext())
            })
        #expect(values == ["A=b", "C=1"])
        #expect(problems.map(\.offset) == [7])
    }

    @Test func `a value that is not text is dropped`() {
        #expect(read(#"A=\xff B=1 C=\xc3\xa4"#) == ["B=1", "C=ä"])
    }

    @Test func `problems never tell a value`() {
        let assignments = ["A-B=secret", #"C=secret\q"#, "\"D=secret", #"E=secret\xff"#, "secret"]
        let (_, problems) = Value.environment(assignments, expand: { text throws(ValueError) in text })
        #expect(problems.count == 5)
        for problem in problems {
            #expect(!problem.message.contains("secret") && !problem.remedy.contains("secret"))
        }
    }
}
