/// A file in systemd's unit syntax, cut into assignments: syntax only, nothing is known about sections and keys.
///
/// Sections and keys that start with `X-` are delivered like all others.
public struct UnitFile: Sendable {
    /// In file order.
    public let assignments: [Assignment]
    /// Lines that were skipped.
    public let warnings: [SyntaxProblem]

    /// Throws what makes the whole file unusable: a broken section header, text that is not UTF-8, a line of 1 MiB.
    public init(parsing bytes: [UInt8]) throws(SyntaxProblem) {
        let (file, failure) = Self.readingPrefix(of: bytes)
        if let failure { throw failure }
        self = file
    }

    /// What stands before the first fatal problem, and that problem: systemd keeps this much of a broken drop-in.
    public static func readingPrefix(of bytes: [UInt8]) -> (file: UnitFile, failure: SyntaxProblem?) {
        var reader = SectionReader()
        do throws(SyntaxProblem) {
            var lines = LogicalLines(bytes)
            while let line = try lines.next() { try reader.read(line) }
            return (UnitFile(reader), nil)
        } catch {
            return (UnitFile(reader), error)
        }
    }

    /// UTF-8 as systemd wants it: without the code points that Unicode sets aside as no characters.
    public static func isText(_ bytes: some Sequence<UInt8>) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        return !text.unicodeScalars.contains { scalar in
            scalar.value & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(scalar.value)
        }
    }

    private init(_ reader: SectionReader) {
        assignments = reader.assignments
        warnings = reader.warnings
    }
}
