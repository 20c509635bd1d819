import ArgumentParser

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check unit files, without fafd; reports every problem with its place.")

    @Argument(help: ArgumentHelp("Unit files.", valueName: "file"), completion: .file(extensions: ["task"]))
    var files: [String]

    func run() throws { throw Failure(.other, "not built yet") }
}
