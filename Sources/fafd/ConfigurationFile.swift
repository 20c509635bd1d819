import LinuxSystem
import Logging
import TaskUnits
import UnitFile
import VarlinkServer

/// `fafd.conf`: unit syntax, one section `[Manager]` as in systemd-system.conf(5). What the command line says wins.
struct ConfigurationFile: Sendable {
    var logLevel: Logger.Level?
    var limits = Limits()

    private static let keys = ["LogLevel", "ConnectionsMax", "ConnectionsMaxPerUser"]

    /// Reads the file as units are read: only if nobody but root and `owner` could have written it. A file that is not
    /// there changes nothing, unless it was asked for.
    init(path: String, isRequired: Bool, owner: UInt32) throws(StartRefusal) {
        let bytes: [UInt8]
        do {
            switch try TrustedFile.read(path, owner: owner) {
            case .bytes(let found)?: bytes = found
            case .masked?: return
            case nil where isRequired:
                throw StartRefusal("there is no \(path)", remedy: "write it, or leave out --config")
            case nil: return
            }
        } catch let refusal as StartRefusal {
            throw refusal
        } catch {
            throw StartRefusal("\(path): \(error)", remedy: "mend the file, or its permissions")
        }
        do throws(SyntaxProblem) {
            let file = try UnitFile(parsing: bytes)
            for problem in file.warnings { throw problem }
            for assignment in file.assignments { try take(assignment) }
        } catch {
            throw StartRefusal(
                "\(path):\(error.position.line):\(error.position.column): \(error.message)", remedy: error.remedy)
        }
    }

    /// An operator must not run with another setting than the one in the file: whatever is not understood is an error.
    private mutating func take(_ assignment: Assignment) throws(SyntaxProblem) {
        func problem(_ position: Position, _ message: String, _ remedy: String) -> SyntaxProblem {
            SyntaxProblem(position: position, message: message, remedy: remedy, isFatal: true)
        }
        func count() throws(SyntaxProblem) -> Int {
            guard let value = Int(assignment.value), (1...1_000_000).contains(value) else {
                throw problem(
                    assignment.valuePosition, "\(assignment.key)=: “\(assignment.value)” is no number of connections",
                    "write a number from 1 to 1000000")
            }
            return value
        }
        switch (assignment.section, assignment.key) {
        case ("Manager", "LogLevel"):
            guard let level = Logger.Level(rawValue: assignment.value) else {
                throw problem(
                    assignment.valuePosition, "LogLevel=: “\(assignment.value)” is no level",
                    "write one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            logLevel = level
        case ("Manager", "ConnectionsMax"): limits.connections = try count()
        case ("Manager", "ConnectionsMaxPerUser"): limits.connectionsPerUser = try count()
        default:
            throw problem(
                assignment.keyPosition, "[\(assignment.section)] \(assignment.key)= is not known",
                "in [Manager] there are \(Self.keys.joined(separator: "=, "))=")
        }
    }
}
