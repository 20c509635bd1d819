import ArgumentParser
import Glibc
import Testing

@testable import faf

/// Help texts, compared as a whole. `FAF_UPDATE=1 swift test --filter HelpTests` writes them anew.
struct HelpTests {
    static let commands: [(name: String, type: any ParsableCommand.Type)] = [
        ("faf", Faf.self), ("fire", Fire.self), ("status", Status.self), ("list", List.self), ("show", Show.self),
        ("explain", Explain.self),
        ("logs", Logs.self), ("wait", Wait.self), ("kill", Kill.self), ("freeze", Freeze.self), ("thaw", Thaw.self),
        ("retry", Retry.self), ("cancel", Cancel.self), ("tasks", Tasks.self), ("cat", Cat.self),
        ("verify", Verify.self), ("run", Run.self), ("reload", Reload.self), ("releases", Releases.self),
        ("doctor", Doctor.self), ("analyze", AnalyzeCommand.self), ("version", VersionCommand.self),
    ]

    @Test(arguments: commands.map(\.name))
    func `help is as it was agreed`(name: String) throws {
        let command = try #require(Self.commands.first { $0.name == name })
        let text = Faf.helpMessage(for: command.type, columns: 80) + "\n"
        let path = String(#filePath).replacing("HelpTests.swift", with: "Expected/help-\(name).txt")
        if Environment["FAF_UPDATE"] == "1" { try write(text, to: path) }
        #expect(text == SmallFile.text(path) ?? "")
    }

    @Test func `every command has a test of its help`() {
        let commands = Faf.configuration.groupedSubcommands.flatMap(\.subcommands).map { $0._commandName }
        #expect(Set(commands + ["faf"]) == Set(Self.commands.map(\.name)))
    }

    private func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
    }
}
