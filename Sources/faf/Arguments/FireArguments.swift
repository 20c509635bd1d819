import Varlink

/// The command line of `faf fire` and of `faf run`, read by hand: ArgumentParser cannot know a task's parameters, and
/// takes longer than the whole fire.
///
/// faf's own options may stand anywhere; every other `--name=value` is a parameter; after `--` everything is one.
struct FireArguments: Equatable {
    var task: String?
    var parameters = JSONObject()
    var waits = false
    var statusToStandardOutput = false
    var foreground = false
    var json = false
    var user = false
    var socket: String?
    var help = false

    init(verb: String, _ arguments: [String]) throws(Failure) {
        var rest = arguments[...]
        var isAfterDashes = false
        while let argument = rest.popFirst() {
            if isAfterDashes {
                try add(parameter: argument, afterDashes: true)
            } else if argument == "--" {
                isAfterDashes = true
            } else if argument == "-h" {
                help = true
            } else if argument.utf8.starts(with: "--".utf8) {
                let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(parts[0])
                let value = parts.count == 2 ? String(parts[1]) : nil
                if set(flag: name, of: verb) {
                    guard value == nil else { throw Self.ambiguous(argument, name) }
                } else if name == "socket" {
                    guard let path = value ?? rest.popFirst(), !path.isEmpty else {
                        throw Failure(.usage, "--socket has no value", remedy: "write --socket=PATH")
                    }
                    socket = path
                } else {
                    try add(parameter: argument, afterDashes: false)
                }
            } else if argument.utf8.first == UInt8(ascii: "-"), argument.utf8.count > 1 {
                throw Failure(
                    .usage, "there is no option \(argument)",
                    remedy: "parameters are written --name=value; see faf help \(verb)")
            } else if task == nil {
                task = TaskName.withoutSuffix(argument)
            } else {
                throw Failure(
                    .usage, "\(argument) is one argument too many: the task is \(task ?? "")",
                    remedy: "parameters are written --name=value; see faf help \(verb)")
            }
        }
    }

    /// What `verb` takes beside parameters; false: it takes no such flag. (A table would cost a fire more instructions
    /// than all the rest of its command line.)
    private mutating func set(flag name: String, of verb: String) -> Bool {
        switch (verb, name) {
        case ("fire", "wait"): waits = true
        case ("fire", "status-to-stdout"): statusToStandardOutput = true
        case ("fire", "json"): json = true
        case ("run", "foreground"): foreground = true
        case (_, "user"): user = true
        case (_, "help"): help = true
        default: return false
        }
        return true
    }

    private mutating func add(parameter argument: String, afterDashes: Bool) throws(Failure) {
        guard argument.utf8.starts(with: "--".utf8) else {
            throw Failure(
                .usage, "\(argument) is no parameter: after -- everything is one, written --name=value",
                remedy: "the task and faf's own options stand before --")
        }
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        var name = String(parts[0])
        guard parts.count == 2 else {
            throw Failure(
                .usage, "parameter \(argument) has no value",
                remedy: "write --\(name)=VALUE, or --\(name):=true for the JSON value true")
        }
        var value = JSON.string(String(parts[1]))
        if name.utf8.last == UInt8(ascii: ":") {
            name.removeLast()
            do {
                value = try JSON(parsing: String(parts[1]))
            } catch {
                throw Failure(
                    .data, "parameter \(name) has no valid JSON behind :=: \(error)",
                    remedy: "write --\(name)=VALUE for a string, --\(name):=JSON for anything else")
            }
        }
        guard parameters[name] == nil else {
            throw Failure(.data, "parameter \(name) is given twice", remedy: "give it once")
        }
        parameters[name] = value
    }

    private static func ambiguous(_ argument: String, _ name: String) -> Failure {
        Failure(
            .usage, "\(argument): --\(name) is an option of faf itself and takes no value",
            remedy: "for a parameter of the task that is called so, write it after --: -- \(argument)")
    }
}
