import ArgumentParser
import FafAPI
import FireAndForget
import Varlink

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Show the versions of faf and of the fafd that answers.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let client = connection.client
        let info = try? client.info()
        if output.json {
            return Output.json(
                .object([
                    "faf": .string(Version.current), "socket": .string(client.socketPath), "fafd": info?.json,
                ]))
        }
        Output.line("faf \(Version.current)")
        if let info {
            Output.line(
                "fafd \(Escape.forTerminal(info.version)) (\(info.mode), process \(info.pid)) at \(client.socketPath)")
        } else {
            Output.line("no fafd answers at \(client.socketPath)")
        }
    }
}
