import Testing
import UnitFile

struct PositionTests {
    private func first(_ text: String) throws -> Assignment {
        try #require(try UnitFile(parsing: Array(text.utf8)).assignments.first)
    }

    @Test func `lines and columns count from 1`() throws {
        let assignment = try first("[S]\n\n  Key  =  value")
        #expect(assignment.keyPosition == Position(line: 3, column: 3))
        #expect(assignment.valuePosition == Position(line: 3, column: 11))
        #expect(assignment.position(ofUTF8Offset: 2) == Position(line: 3, column: 13))
    }

    @Test func `a column is a character, not a byte`() throws {
        let assignment = try first("[S]\nSchlüssel=äöü x")
        #expect(assignment.valuePosition == Position(line: 2, column: 11))
        #expect(assignment.position(ofUTF8Offset: 7) == Position(line: 2, column: 15))
    }

    @Test func `an empty value stands behind its =`() throws {
        #expect(try first("[S]\nA=  \n").valuePosition == Position(line: 2, column: 3))
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `an offset in a joined value leads to its own line`(end: String) throws {
        let assignment = try first(["[S]", "A=one \\", "# comment", "  two\\", "three", "B=4"].joined(separator: end))
        #expect(assignment.value == "one    two three")
        let places = [
            (0, 2, 3), (2, 2, 5), (4, 2, 7), (5, 4, 1), (7, 4, 3), (9, 4, 5), (10, 4, 6), (11, 5, 1), (15, 5, 5),
        ]
        for (offset, line, column) in places {
            #expect(assignment.position(ofUTF8Offset: offset) == Position(line: line, column: column), "\(offset)")
        }
    }

    @Test func `a value that begins on a continued line is found there`() throws {
        let assignment = try first("[S]\nKey \\\n = \\\n  value\\\n more")
        #expect(assignment.key == "Key")
        #expect(assignment.value == "value  more")
        #expect(assignment.keyPosition == Position(line: 2, column: 1))
        #expect(assignment.valuePosition == Position(line: 4, column: 3))
        #expect(assignment.position(ofUTF8Offset: 7) == Position(line: 5, column: 2))
    }

    @Test func `an offset outside of the value is the nearest inside`() throws {
        let assignment = try first("[S]\nA=123")
        #expect(assignment.position(ofUTF8Offset: -1) == Position(line: 2, column: 3))
        #expect(assignment.position(ofUTF8Offset: 99) == Position(line: 2, column: 6))
    }
}
