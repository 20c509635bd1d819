public import ArgumentParser
import FafAPI
import Journal
import LinuxSystem
public import Logging
import TaskModel

/// The supervisor. Everything that must outlive it lives in its shims and on disk, so it may be stopped, killed and
/// started again at any time.
@main
struct Fafd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fafd",
        abstract: "Start long-running background tasks, and know how each of them ended.",
        discussion: """
            Runs in the foreground. Without --user it serves everybody and keeps its state in /var/lib/faf; that needs \
            root. SIGTERM and SIGINT end it, and no task notices; SIGHUP reads the units again.

            Exit status: 0 after SIGTERM or SIGINT, 1 if another fafd has the state directory or something it needs is \
            missing, 64 for a wrong command line.
            """,
        version: Version.current)

    @Flag(help: "Serve only the calling user, with state and units below the XDG directories.")
    var user = false

    @Option(
        help: ArgumentHelp(
            "Settings of fafd itself; /etc/faf/fafd.conf, or the user's, if there is one.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Socket and live records; on tmpfs.", valueName: "dir"))
    var runtimeDirectory: String?

    @Option(help: ArgumentHelp("Database, ends, input and results.", valueName: "dir"))
    var stateDirectory: String?

    @Option(help: ArgumentHelp("Output of runs.", valueName: "dir"))
    var logsDirectory: String?

    @Option(help: ArgumentHelp("journald's sockets; /run/systemd/journal.", valueName: "dir"))
    var journalDirectory: String?

    @Option(help: ArgumentHelp("Where unit files lie; may be repeated, the first wins.", valueName: "dir"))
    var units: [String] = []

    @Option(help: ArgumentHelp("The faf-shim to use.", valueName: "path"))
    var shim: String?

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: Logger.Level?

    func validate() throws {
        let paths = [config, runtimeDirectory, stateDirectory, logsDirectory, journalDirectory, shim]
        for path in paths.compactMap({ $0 }) + units where !path.hasPrefix("/") {
            throw ValidationError("\(path) is not an absolute path: write it from / on")
        }
    }

    func run() async throws {
        if JournalLogHandler.isStandardError(OwnProcess.environment) {
            let socket = JournalSocket(path: (journalDirectory ?? Directories.system.journal) + "/socket")
            LoggingSystem.bootstrap { _ in JournalLogHandler(socket: socket) }
        } else {
            LoggingSystem.bootstrap { StandardErrorHandler(label: $0) }
        }
        OwnProcess.limitHeaps()
        var log = Logger(label: "fafd")
        do {
            let configuration = try configuration()
            log.logLevel = logLevel ?? configuration.file.logLevel ?? .info
            let daemon = try Daemon(configuration: configuration, log: log)
            try await daemon.run()
        } catch let refusal as StartRefusal {
            log.critical("\(refusal)")
            throw ExitCode(1)
        }
    }

    private func configuration() throws(StartRefusal) -> DaemonConfiguration {
        let environment = OwnProcess.environment
        let uid = OwnProcess.uid
        var directories = Directories.system
        if user {
            guard let own = Directories.user(uid: uid, environment: environment) else {
                throw StartRefusal(
                    "neither HOME nor the XDG variables say where the state of uid \(uid) belongs",
                    remedy: "set HOME, or give --state-directory, --runtime-directory, --logs-directory and --units")
            }
            directories = own
        } else if uid != 0 {
            throw StartRefusal(
                "without --user it serves everybody, which needs root (this is uid \(uid))",
                remedy: "start it as root, or with --user for yourself")
        }
        if let runtimeDirectory { directories.runtime = runtimeDirectory }
        if let stateDirectory { directories.state = stateDirectory }
        if let logsDirectory { directories.logs = logsDirectory }
        if let journalDirectory { directories.journal = journalDirectory }
        if !units.isEmpty { directories.units = units }
        let program: String
        if let shim { program = shim } else { program = try installedShim() }
        let file = try ConfigurationFile(
            path: config ?? directories.configuration + "/fafd.conf", isRequired: config != nil, owner: uid)
        return DaemonConfiguration(
            directories: directories, isUserMode: user, shim: program, environment: environment, file: file)
    }

    /// Beside this program in a build directory, in libexec when installed.
    private func installedShim() throws(StartRefusal) -> String {
        guard let own = OwnProcess.executablePath, let slash = own.lastIndex(of: "/") else {
            throw StartRefusal("the path of this program is not known", remedy: "give --shim")
        }
        let folder = own[..<slash]
        let parent = folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)]
        let places = ["\(folder)/faf-shim", "\(parent)/libexec/faf/faf-shim"]
        for place in places where (try? FileStatus.of(path: place)) != nil { return place }
        throw StartRefusal("there is no faf-shim at \(places.joined(separator: " or "))", remedy: "give --shim")
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
