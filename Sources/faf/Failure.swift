import ArgumentParser
import FireAndForget
import Glibc

/// Why a command did not do what was asked: what was refused and why, what to do about it, and the exit code.
struct Failure: Error, Hashable {
    /// sysexits.h where it has a word. A script's own status (`fire --wait`) may be any of these, too.
    enum Code: Int32 {
        case usage = 64
        /// A bad parameter, or a unit that cannot be used.
        case data = 65
        /// No such task, no such run.
        case notFound = 66
        /// No fafd answers.
        case noDaemon = 69
        case other = 70
        /// A limit is reached, or fafd cannot do it now: later it may work.
        case temporary = 75
        /// The caller may not do this, or the script may not be run.
        case refused = 77
    }

    var code: Code
    var message: String
    var remedy: String

    init(_ code: Code, _ message: String, remedy: String = "") {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    init(_ error: FafError) {
        let code: Code =
            switch error.code {
            case .badParameter, .badUnit, .invalidParameter: .data
            case .noSuchTask, .noSuchRun: .notFound
            case .noDaemon: .noDaemon
            case .permissionDenied, .scriptRefused: .refused
            case .limitReached, .unavailable, .timedOut: .temporary
            default: .other
            }
        self.init(code, error.message, remedy: error.remedy)
    }

    /// `faf: what and why`, and what to do on a line of its own. Escaped: fafd quotes what others wrote.
    var text: String {
        let lines = [message, remedy].filter { !$0.isEmpty }
            .flatMap { $0.split(separator: "\n") }
            .map { Escape.forTerminal(String($0)) }
        return "faf: " + lines.joined(separator: "\n     ") + "\n"
    }
}

/// Ends the process as `error` says; never returns.
func end(with error: any Error) -> Never {
    // All that was to be said has been said.
    if let code = error as? ExitCode { exit(code.rawValue) }
    let failure =
        switch error {
        case let failure as Failure: failure
        case let error as FafError: Failure(error)
        default: Failure(.other, "\(error)")
        }
    Output.error(failure.text)
    exit(failure.code.rawValue)
}
