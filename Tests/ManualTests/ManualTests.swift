import Foundation
import Testing

/// The manual says what the code does.
@Suite struct ManualTests {
    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../contrib/man").standardized

    static let begin = ".\\\" Made from the table of settings by ManualTests, to the end that is marked\n"
    static let end = ".\\\" End of what is made from the table of settings\n"

    @Test func `faf.task(5) has every setting as the table has it`() throws {
        let file = Self.directory.appendingPathComponent("faf.task.5")
        let page = try String(contentsOf: file, encoding: .utf8)
        let begin = try #require(page.range(of: Self.begin))
        let end = try #require(page.range(of: Self.end))
        let written = page[begin.upperBound..<end.lowerBound]
        if ProcessInfo.processInfo.environment["FAF_WRITE_MANUAL"] != nil {
            let new = page[..<begin.upperBound] + SettingsManual.text + page[end.lowerBound...]
            try String(new).write(to: file, atomically: true, encoding: .utf8)
        } else {
            #expect(written == SettingsManual.text, "the table has changed: make manual")
        }
    }

    @Test(arguments: ["faf.1", "fafd.8", "faf-shim.8", "faf.task.5"])
    func `groff has nothing to object to`(page: String) throws {
        let man = Process()
        man.executableURL = URL(fileURLWithPath: "/usr/bin/man")
        man.arguments = ["--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", "-Z", Self.directory.path + "/" + page]
        let errors = Pipe()
        man.standardError = errors
        man.standardOutput = FileHandle.nullDevice
        try man.run()
        let text = try errors.fileHandleForReading.readToEnd() ?? Data()
        man.waitUntilExit()
        #expect(String(decoding: text, as: UTF8.self) == "")
        #expect(man.terminationStatus == 0)
    }
}
