import ArgumentParser

struct Analyze: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show how faf reads a value of a unit file.")

    func run() throws { throw Failure(.other, "not built yet") }
}
