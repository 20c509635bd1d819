import Glibc

/// What the output goes to: how wide it is, and whether colours and bars make sense there.
struct Terminal: Sendable {
    /// Somebody looks at it.
    var isTerminal: Bool
    /// `nil`: as wide as it takes (a file, a pipe).
    var columns: Int?
    var hasColors: Bool

    static let plain = Terminal(isTerminal: false, columns: nil, hasColors: false)

    static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    static let standardError = Terminal(descriptor: STDERR_FILENO)

    init(isTerminal: Bool, columns: Int?, hasColors: Bool) {
        self.isTerminal = isTerminal
        self.columns = columns
        self.hasColors = hasColors
    }

    private init(descriptor: Int32) {
        guard isatty(descriptor) == 1 else {
            self = .plain
            return
        }
        let term = Environment["TERM"] ?? "dumb"
        // https://no-color.org: any value that is not empty.
        let refused = !(Environment["NO_COLOR"] ?? "").isEmpty
        var size = winsize()
        let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        self.init(
            isTerminal: term != "dumb" && term != "", columns: known ? Int(size.ws_col) : 80,
            hasColors: term != "dumb" && term != "" && !refused)
    }

    enum Color: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    func colored(_ text: String, _ color: Color?) -> String {
        guard hasColors, let color, !text.isEmpty else { return text }
        return "\u{1b}[\(color.rawValue)m\(text)\u{1b}[0m"
    }
}

/// The process's environment.
enum Environment {
    static subscript(name: String) -> String? { getenv(name).map { String(cString: $0) } }

    static var all: [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let variable = entry.pointee {
            let parts = String(cString: variable).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return result
    }
}
