import ArgumentParser

/// Help and completion only: `Main` reads the arguments of `run` by hand and calls `run(_:)`.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a task in this terminal, with your own rights; no run is recorded.")

    static func run(_ arguments: [String]) throws { throw Failure(.other, "not built yet") }
}
