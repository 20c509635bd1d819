import TaskUnits
import Testing

struct VariablesTests {
    private let environment = ["A=one two", "EMPTY=", "Q='x y' \"z\"w", "D=$A ${A}", "L=1", "L=2", "O=it's"]

    @Test(
        arguments: [
            // Whole words only, then split; quotes in the value are honoured.
            (["$A"], ["one", "two"]), (["$Q"], ["x y", "zw"]), (["$EMPTY", "x"], ["x"]), (["$UNSET", "x"], ["x"]),
            (["x$A"], ["x$A"]), (["$A.x"], []), (["$A$EMPTY"], []), (["$"], []), (["$O"], ["its"]),
            // Inside of words, always one argument.
            (["${A}"], ["one two"]), (["x${A}y"], ["xone twoy"]), (["${UNSET}"], [""]), (["${EMPTY}"], [""]),
            (["${A}${L}"], ["one two2"]), (["${}"], [""]),
            // Not a shell.
            (["${A:-b}"], ["${A:-b}"]), (["x$$y", "$$A", "$$"], ["x$y", "$A", "$"]), (["${A"], ["${A"]),
            (["a$"], ["a$"]),
            (["$(A)"], []), (["x$(A)"], ["x$(A)"]), (["${A:-${L}}"], ["${A:-2}"]),
            // Values are never expanded again; the last of equal names counts.
            (["$D"], ["$A", "${A}"]), (["${D}"], ["$A ${A}"]), (["$L"], ["2"]),
            ([], []),
        ] as [([String], [String])])
    func `variables are replaced as systemd does`(words: [String], expected: [String]) {
        #expect(CommandLine.expand(words, environment: environment) == expected)
    }

    @Test func `much is done in linear time`() {
        let word = String(repeating: "${", count: 200_000)
        #expect(CommandLine.expand([word], environment: []) == [word])
        let colons = String(repeating: "${:", count: 100_000)
        #expect(CommandLine.expand([colons], environment: []) == [colons])
    }
}
