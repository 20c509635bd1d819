import ArgumentParser
import FafAPI
import FireAndForget

/// The command line's root: alone it shows the status of everything.
struct Faf: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faf",
        abstract: "Fire & Forget: fire long-running tasks, look at them, wait for them, stop them.",
        usage: "faf [--user] [--socket PATH] [--json] [COMMAND ...]",
        discussion: """
            Without a command: what runs, what failed lately, which protections are missing, and what to do next.

            The supervisor (fafd) is found at --socket PATH; with --user or FAF_USER=1 it is your own \
            ($XDG_RUNTIME_DIR/faf/fafd.sock); else at $FAF_SOCKET; else at /run/faf/fafd.sock. Colours and bars are for \
            terminals only; NO_COLOR and TERM=dumb are honoured. With --json the names are those of the wire \
            (io.faf.Supervisor), times are in microseconds since 1970.

            Exit codes: 0 done; 1 a run that was waited for did not succeed, or doctor found something bad; 64 usage; 65 bad parameter or unit; 66 no \
            such task or run; 69 no fafd answers; 75 not now (a limit is reached, fafd is unavailable); 77 refused; 70 \
            anything else. fire --wait exits with the script's own status, 128 + signal if one ended it.
            """,
        version: "faf \(Version.current)",
        groupedSubcommands: [
            CommandGroup(
                name: "Runs",
                subcommands: [
                    Fire.self, Status.self, List.self, Show.self, Explain.self, Logs.self, Wait.self, Kill.self,
                    Freeze.self,
                    Thaw.self, Retry.self, Cancel.self,
                ]),
            CommandGroup(
                name: "Tasks",
                subcommands: [
                    Tasks.self, Cat.self, Verify.self, Run.self, Reload.self, Releases.self,
                ]),
            CommandGroup(name: "Other", subcommands: [Doctor.self, AnalyzeCommand.self, VersionCommand.self]),
        ])

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws { try Overview.show(connection.client, json: output.json) }
}

/// Which fafd to ask.
struct ConnectionOptions: ParsableArguments {
    @Flag(help: "Ask your own fafd (fafd --user) instead of the system's.")
    var user = false

    @Option(help: ArgumentHelp("Ask the fafd that listens there.", valueName: "path"), completion: .file())
    var socket: String?

    var client: Client { Client(socketPath: SocketLocation.find(explicit: socket, user: user)) }
}

struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON, with the names of the wire.")
    var json = false
}
