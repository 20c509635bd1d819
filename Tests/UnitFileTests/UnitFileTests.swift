import Testing
import UnitFile

struct UnitFileTests {
    /// `[section, key, value]` of a file that must be readable.
    private func read(_ text: String) throws -> [[String]] {
        try UnitFile(parsing: Array(text.utf8)).assignments.map { [$0.section, $0.key, $0.value] }
    }

    /// The value of the first assignment of `text` below `[S]`.
    private func value(_ text: String) throws -> String? {
        try read("[S]\n" + text).first?[2]
    }

    // MARK: Comments

    @Test(arguments: ["# A=1", "; A=1", "  # A=1", "\t; A=1"])
    func `a line whose first character is # or ; is a comment`(line: String) throws {
        #expect(try read("[S]\n\(line)\nB=2") == [["S", "B", "2"]])
    }

    @Test func `a # behind a value belongs to the value`() throws {
        #expect(try value("A=1 # x") == "1 # x")
    }

    // MARK: Continuations

    @Test(arguments: [
        ("A=1 \\\n   2", "1     2"),
        ("A=1\\\n2", "1 2"),
        ("A=1 \\\n2 \\\n3", "1  2  3"),
        // Odd numbers of backslashes continue, even ones do not and stay.
        ("A=1\\\\\\\n2", "1\\\\ 2"),
        ("A=1\\\\\nB=2", "1\\\\"),
        ("A=1\\\\\\\\\nB=2", "1\\\\\\\\"),
        // A blank behind the backslash: no continuation.
        ("A=1\\ \nB=2", "1\\"),
        ("A=1\\\t\nB=2", "1\\"),
        // Comments inside are skipped, their own backslashes mean nothing.
        ("A=1\\\n# c\n2", "1 2"),
        ("A=1\\\n# c \\\n2", "1 2"),
        ("A=1\\\n  ; c\n# d\n2\\\n3", "1 2 3"),
        // An empty or blank line ends it.
        ("A=1\\\n\nB=2", "1"),
        ("A=1\\\n  \t\nB=2", "1"),
        // Inside, everything else is text.
        ("A=1\\\n[S]", "1 [S]"),
        ("A=1\\\nX=1", "1 X=1"),
        ("A=\"a\\\n# c\nb\"", "\"a b\""),
        // The end of the file ends it too.
        ("A=1\\", "1"),
        ("A=1\\\n", "1"),
    ])
    func `a trailing backslash joins the next line with one blank`(text: String, expected: String) throws {
        #expect(try value(text) == expected)
    }

    @Test func `a comment never continues`() throws {
        #expect(try read("[S]\n# c \\\nA=1") == [["S", "A", "1"]])
    }

    @Test func `after a continuation the next line is a line again`() throws {
        #expect(
            try read("[S]\nA=1\\\n\nB=2\nC=3\\\\\nD=4") == [
                ["S", "A", "1"], ["S", "B", "2"], ["S", "C", "3\\\\"], ["S", "D", "4"],
            ])
    }

    @Test func `a section header can be continued, and is no header then`() {
        #expect(throws: SyntaxProblem.self) { try read("[S\\\n] x\nA=1") }
    }

    // MARK: Lines, marks, blanks

    @Test(arguments: ["\n", "\r\n", "\r", "\n\r", "\0"])
    func `every line end is understood`(end: String) throws {
        #expect(try read(["[S]", "A=1", "B=2", ""].joined(separator: end)) == [["S", "A", "1"], ["S", "B", "2"]])
    }

    @Test func `a byte order mark is dropped`() throws {
        #expect(try read("\u{FEFF}[S]\nA=1") == [["S", "A", "1"]])
    }

    @Test func `only blank and tab are trimmed`() throws {
        #expect(try value(" \t A \t = \t x y \t ") == "x y")
        for kept in ["\u{B}", "\u{C}", "\u{A0}", "\u{2003}"] {
            #expect(try value("A=\(kept)x\(kept)") == "\(kept)x\(kept)")
        }
    }

    @Test func `only the first = separates`() throws {
        #expect(try read("[S]\nA=B=C\nA = = x") == [["S", "A", "B=C"], ["S", "A", "= x"]])
    }

    @Test func `keys and sections keep case and inner blanks`() throws {
        #expect(
            try read("[my  Sec]\nkey  Name=1\nKEY=2") == [
                ["my  Sec", "key  Name", "1"], ["my  Sec", "KEY", "2"],
            ])
    }

    @Test func `X- sections and keys are delivered`() throws {
        #expect(try read("[X-S]\nX-A=1") == [["X-S", "X-A", "1"]])
    }

    @Test func `a section may come again, and assignments stay in order`() throws {
        #expect(
            try read("[S]\nA=1\n[T]\nA=2\n[S]\nA=3\nA=") == [
                ["S", "A", "1"], ["T", "A", "2"], ["S", "A", "3"], ["S", "A", ""],
            ])
    }

    @Test func `quotes and escapes mean nothing`() throws {
        #expect(try value(#"A="x\n' \x41"#) == #""x\n' \x41"#)
    }

    @Test func `an empty file has nothing`() throws {
        for text in ["", "\n", "  ", "# x", "\u{FEFF}", "\\"] { #expect(try read(text) == []) }
    }

    // MARK: Skipped lines

    @Test(arguments: [
        ("[S]\nword\nA=1", Position(line: 2, column: 1)),
        ("[S]\n  =x\nA=1", Position(line: 2, column: 3)),
        ("X=1\n[S]\nA=1", Position(line: 1, column: 1)),
        ("X\n[S]\nA=1", Position(line: 1, column: 1)),
    ])
    func `a line that is no assignment is skipped with a warning`(text: String, position: Position) throws {
        let file = try UnitFile(parsing: Array(text.utf8))
        #expect(file.assignments.map(\.key) == ["A"])
        #expect(file.warnings.map(\.position) == [position])
        #expect(file.warnings.allSatisfy { !$0.isFatal && !$0.remedy.isEmpty })
    }

    // MARK: Refused files

    @Test(arguments: [
        "[Unit", "[Unit] x", "[Unit] # c", "[", "[Unit]]x", "[Un\\it]", "[Un\"it]", "[Un'it]", "[Un\u{1}it]",
        "[Un\u{7F}it]",
    ])
    func `a broken section header refuses the file`(header: String) {
        let problem = #expect(throws: SyntaxProblem.self) { try read("[S]\nA=1\n  \(header)\nB=2") }
        #expect(problem?.isFatal == true)
        #expect(problem?.position.line == 3)
    }

    @Test func `a header in brackets may hold brackets, or nothing`() throws {
        #expect(try read("[[S]]\nA=1\n[]\nB=2") == [["[S]", "A", "1"], ["", "B", "2"]])
    }

    @Test(
        arguments: [
            [0x41, 0x3D, 0xFF], [0x41, 0x3D, 0xC3], [0x41, 0x3D, 0xED, 0xA0, 0x80], [0x41, 0x3D, 0xEF, 0xBF, 0xBF],
            [0xFF, 0x3D, 0x41], [0x41, 0x3D, 0xC0, 0x80],
        ] as [[UInt8]])
    func `an assignment that is not UTF-8 refuses the file`(line: [UInt8]) {
        let problem = #expect(throws: SyntaxProblem.self) { try UnitFile(parsing: Array("[S]\n".utf8) + line) }
        #expect(problem?.isFatal == true)
        #expect(problem?.position == Position(line: 2, column: 1))
    }

    @Test func `a comment may hold any bytes`() throws {
        let file = try UnitFile(parsing: Array("[S]\n#".utf8) + [0xFF, 0xFE] + Array("\nA=1".utf8))
        #expect(file.assignments.map(\.value) == ["1"])
    }

    @Test func `a line of 1 MiB refuses the file, one byte less does not`() throws {
        let longest = String(repeating: "x", count: (1 << 20) - 3)
        #expect(try value("A=" + longest) == longest)
        #expect(throws: SyntaxProblem.self) { try value("A=x" + longest) }
        #expect(throws: SyntaxProblem.self) { try read("#xxx" + longest) }
        // Joined lines count together.
        #expect(throws: SyntaxProblem.self) { try value("A=" + longest + "\\\nxxxx") }
    }

    @Test func `what stands before a fatal problem can still be had`() {
        let (file, failure) = UnitFile.readingPrefix(of: Array("[S]\nA=1\n[T\nB=2".utf8))
        #expect(file.assignments.map(\.key) == ["A"])
        #expect(failure?.position == Position(line: 3, column: 1))
    }
}
