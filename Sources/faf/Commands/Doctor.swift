import ArgumentParser
import FafAPI
import FireAndForget
import Glibc
import LinuxSystem
import TaskModel
import Varlink

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what works here, which protections are missing, and what to do.",
        discussion: """
            A line for each finding: ok, weak (something is not given here; what does not need it works) or bad (something \
            does not work), what it is, what that means, and what to do. Exits 0 if nothing is bad, 1 if something is, 69 \
            if no fafd answers.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let facts = facts(connection.client)
        let examination = Examination(facts: facts, look: Self.look)
        let findings = examination.findings
        if output.json {
            Output.json(.array(findings.map(\.json)))
        } else {
            Output.text(Finding.lines(findings, .standardOutput).map { $0 + "\n" }.joined())
        }
        if facts.info == nil { throw ExitCode(Failure.Code.noDaemon.rawValue) }
        if findings.contains(where: { $0.state == .bad }) { throw ExitCode(1) }
    }

    private static func look(_ path: String) -> Examination.Look {
        do throws(SystemError) {
            return try FileStatus.of(path: path).map { .there($0) } ?? .nothing
        } catch {
            return .unknown(SystemError.text(of: error.errno))
        }
    }

    private func facts(_ client: Client) -> Examination.Facts {
        let journal = (try? FileStatus.of(path: Directories.system.journalStream)) ?? nil
        var facts = Examination.Facts(
            socket: client.socketPath, kernel: (try? Machine.kernelRelease()) ?? "unknown",
            hasJournal: journal?.kind == .socket, owner: 0)
        do {
            let info = try client.info()
            facts.info = info
            if info.mode == "user" { facts.owner = getuid() }
            facts.tasks = try client.tasks()
        } catch {
            facts.failure = (error.message, error.remedy)
        }
        return facts
    }
}
