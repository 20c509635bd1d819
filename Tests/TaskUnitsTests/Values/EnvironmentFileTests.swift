import TaskUnits
import Testing

struct EnvironmentFileTests {
    private func read(_ text: String) throws -> [[String]] {
        try Value.environmentFile(Array(text.utf8)).map { [$0.name, $0.value] }
    }

    @Test(
        arguments: [
            ("A=1\nB=2", [["A", "1"], ["B", "2"]]),
            // Comments only at the start of a line.
            ("# A=1\n ; B=2\nC=3 # x", [["C", "3 # x"]]),
            // A backslash does not continue a comment (systemd 254).
            ("# c \\\nA=1", [["A", "1"]]),
            // Double quotes unescape only four characters and join lines without a blank.
            (#"A="\"\\\`\$\n\x""#, [["A", "\"\\`$\\n\\x"]]),
            ("A=\"1\\\n2\"", [["A", "12"]]),
            ("A=\"1\n2\"", [["A", "1\n2"]]),
            // Single quotes are raw.
            (#"A='\"\n$x'"#, [["A", #"\"\n$x"#]]),
            ("A='1\n2'", [["A", "1\n2"]]),
            // An unquoted backslash protects the next character.
            (#"A=\"x\ \\"#, [["A", #""x \"#]]),
            ("A=1\\\n2", [["A", "12"]]),
            // A quote later in an unquoted value is text.
            ("A=it's", [["A", "it's"]]),
            // Text behind a closing quote is appended.
            ("A=\"1\"2", [["A", "12"]]),
            ("A='1' \"2\"", [["A", "12"]]),
            // A missing closing quote is tolerated.
            ("A=\"1", [["A", "1"]]),
            ("A='1\nB=2", [["A", "1\nB=2"]]),
            // No export, no expansion.
            ("export A=1", [["export A", "1"]]),
            ("A=$B", [["A", "$B"]]),
            // Blanks around are dropped, protected ones stay.
            ("  A  =  1  \n", [["A", "1"]]),
            ("A=' 1 '", [["A", " 1 "]]),
            ("A=1\\ \n", [["A", "1 "]]),
            // Lines without = are skipped, empty values are values.
            ("word\nA=\nB", [["A", ""]]),
            ("A=1\r\nB=2\r", [["A", "1"], ["B", "2"]]),
            // Later ones win.
            ("A=1\nB=2\nA=3", [["A", "3"], ["B", "2"]]),
            ("", []),
        ] as [(String, [[String]])])
    func `the syntax is its own`(text: String, expected: [[String]]) throws {
        #expect(try read(text) == expected)
    }

    @Test func `bytes that are no text are refused`() {
        for bytes: [UInt8] in [[0x41, 0x3D, 0], [0x41, 0x3D, 0xFF], [0xFF, 0x3D, 0x41]] {
            #expect(throws: ValueError.self) { try Value.environmentFile(bytes) }
        }
    }
}
