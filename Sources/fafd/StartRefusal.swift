/// Why the supervisor does not start.
struct StartRefusal: Error, CustomStringConvertible {
    let message: String
    let remedy: String

    init(_ message: String, remedy: String) {
        self.message = message
        self.remedy = remedy
    }

    var description: String { "not started: \(message); \(remedy)" }
}
