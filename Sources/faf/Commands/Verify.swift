import ArgumentParser
import FafAPI
import TaskHost
import TaskModel
import TaskUnits
import Varlink

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check unit files, without fafd; report every problem with its place.",
        discussion: """
            FILE is a NAME.task, read with the drop-ins beside it (NAME.task.d/*.conf), or one drop-in. Each problem is \
            PATH:LINE:COLUMN, the key, what is wrong and what to write instead. Tasks that OnSuccess=, OnFailure= and \
            OnAttemptFailure= name are looked for beside the file and in the unit directories. Exits 65 if there is an \
            error; warnings alone exit 0.
            """)

    @Argument(
        help: ArgumentHelp("Unit files or drop-ins.", valueName: "file"),
        completion: .file(extensions: ["task", "conf"]))
    var files: [String]

    @Flag(help: "Take the files as units of your own fafd (fafd --user).")
    var user = false

    @OptionGroup var output: OutputOptions

    func run() throws {
        let context = LocalContext.make(isUserMode: user)
        let directories = LocalContext.directories(isUserMode: user)
        let problems = files.flatMap { file in
            UnitVerifier.verify(
                path: FilePath.absolute(file), in: LocalUnitFiles(), installed: directories?.units ?? []
            ) { context.context(user: $0) }
        }
        if output.json {
            Output.json(.array(problems.map { Wire.Problem($0).json }))
        } else {
            let lines = problems.flatMap { ProblemText.lines(Wire.Problem($0), terminal: .standardOutput) }
            Output.text(lines.map { $0 + "\n" }.joined())
        }
        if problems.containsError { throw ExitCode(Failure.Code.data.rawValue) }
    }
}

extension Wire.Problem {
    init(_ diagnostic: Diagnostic) {
        self.init(
            severity: diagnostic.severity.rawValue, path: diagnostic.path, line: Int64(diagnostic.line),
            column: Int64(diagnostic.column), section: diagnostic.section, key: diagnostic.key,
            message: diagnostic.message, remedy: diagnostic.remedy)
    }
}
