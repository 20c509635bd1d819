import FafAPI
import Varlink

/// One thing that was looked at.
struct Finding: Equatable {
    enum State: String {
        case ok
        /// Something is not given here; what does not need it works.
        case weak
        /// Something does not work.
        case bad
    }

    var state: State
    var what: String
    /// What that means.
    var text: String
    /// Empty: nothing is to be done.
    var remedy: String

    init(_ state: State, _ what: String, _ text: String, remedy: String = "") {
        self.state = state
        self.what = what
        self.text = text
        self.remedy = remedy
    }

    var json: JSON {
        .object([
            "state": .string(state.rawValue), "what": .string(what), "text": .string(text),
            "remedy": remedy.isEmpty ? nil : .string(remedy),
        ])
    }

    /// A line each, never cut: the end says what to do.
    static func lines(_ findings: [Finding], _ terminal: Terminal) -> [String] {
        let wide = Terminal(isTerminal: terminal.isTerminal, columns: nil, hasColors: terminal.hasColors)
        var table = Table([("", .left), ("", .left), ("", .left)], terminal: wide)
        for finding in findings {
            let color: Terminal.Color =
                switch finding.state {
                case .ok: .green
                case .weak: .yellow
                case .bad: .red
                }
            let remedy = finding.remedy.isEmpty ? "" : " -> " + finding.remedy
            table.add([.init(finding.state.rawValue, color), .init(finding.what), .init(finding.text + remedy)])
        }
        return table.lines
    }
}
