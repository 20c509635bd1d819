import FafAPI
import Testing

/// What the description text must be for every parser to read it (PyPI, Go, systemd).
@Suite struct DescriptionTextTests {
    private let lines = Wire.description.split(separator: "\n", omittingEmptySubsequences: false)

    @Test func `comments stand above the members, never inside parentheses`() {
        #expect(lines.filter { $0.first == " " && $0.contains("#") }.isEmpty)
        #expect(lines.filter { $0.first != "#" && $0.contains("#") }.isEmpty)
    }

    @Test func `it is plain ASCII with LF`() {
        #expect(Wire.description.utf8.allSatisfy { $0 == 10 || (32...126).contains($0) })
    }

    @Test func `every member has a comment`() {
        for (index, line) in lines.enumerated() {
            guard ["type ", "method ", "error "].contains(where: line.hasPrefix) else { continue }
            #expect(lines[index - 1].hasPrefix("#"), "\(line)")
        }
    }
}
