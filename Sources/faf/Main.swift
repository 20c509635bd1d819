import ArgumentParser
import FireAndForget
import Glibc

/// `fire` and `run` take a task's parameters, which ArgumentParser cannot know, and `fire` is to be fast: both are read
/// by hand. Every other verb, help and errors of usage go through ArgumentParser.
@main
struct Main {
    static func main() {
        do {
            let arguments = verbFirst(try commandLine())
            let rest = Array(arguments.dropFirst())
            switch arguments.first {
            case "fire"?: try Fire.run(rest)
            case "run"?: try Run.run(rest)
            default: try parse(arguments)
            }
        } catch {
            end(with: error)
        }
    }

    /// The arguments, checked: `CommandLine.arguments` would replace what is not UTF-8 without a word.
    private static func commandLine() throws(Failure) -> [String] {
        var arguments: [String] = []
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let bytes = CommandLine.unsafeArgv[index] else { break }
            guard let argument = String(validatingCString: bytes) else {
                let name = String(cString: bytes).split(separator: "=").first.map(String.init) ?? ""
                throw Failure(
                    .data, "argument \(index) (\(name)=...) is not UTF-8",
                    remedy: "parameters are UTF-8 text: pass other bytes encoded (base64), or as a file")
            }
            arguments.append(argument)
        }
        return arguments
    }

    /// `faf --user fire x` means `faf fire --user x`.
    static func verbFirst(_ arguments: [String]) -> [String] {
        var options: [String] = []
        var rest = arguments[...]
        while let option = rest.first {
            if option == "--user" || option == "--json" || option.hasPrefix("--socket=") {
                options.append(option)
                rest.removeFirst()
            } else if option == "--socket", rest.count > 1 {
                options += rest.prefix(2)
                rest.removeFirst(2)
            } else {
                break
            }
        }
        guard let verb = rest.first, !verb.hasPrefix("-") else { return arguments }
        return [verb] + options + rest.dropFirst()
    }

    private static func parse(_ arguments: [String]) throws {
        do {
            var command = try Faf.parseAsRoot(arguments)
            try command.run()
        } catch {
            if error is FafError || error is Failure || error is ExitCode { throw error }
            if Faf.exitCode(for: error) == .success {
                Output.line(Faf.fullMessage(for: error))
                exit(0)
            }
            throw usage(Faf.message(for: error), arguments)
        }
    }

    private static func usage(_ message: String, _ arguments: [String]) -> Failure {
        let verbs = Faf.configuration.subcommands + Faf.configuration.groupedSubcommands.flatMap(\.subcommands)
        let verb = arguments.first.flatMap { name in verbs.first { $0._commandName == name } }
        if verb == nil, let word = arguments.first, !word.hasPrefix("-") {
            return Failure(.usage, "there is no command \(word)", remedy: "faf help lists the commands")
        }
        return Failure(.usage, message, remedy: "see faf help" + (verb.map { " " + $0._commandName } ?? ""))
    }
}
